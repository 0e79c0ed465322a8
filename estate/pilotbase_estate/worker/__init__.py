"""What the worker does for the computing estate."""
