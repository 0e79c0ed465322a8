"""Tables of the computing estate."""
