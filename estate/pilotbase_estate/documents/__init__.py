"""Documents of the computing estate."""
