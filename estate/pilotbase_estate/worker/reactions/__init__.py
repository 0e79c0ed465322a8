"""Reactions to changes of the computing estate."""
