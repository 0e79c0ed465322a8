"""Forms of the computing estate."""
