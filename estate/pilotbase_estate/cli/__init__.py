"""Commands of the computing estate."""
