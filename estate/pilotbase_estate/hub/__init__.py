"""The hub of the computing estate."""
