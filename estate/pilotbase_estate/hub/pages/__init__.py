"""Pages of the computing estate."""
