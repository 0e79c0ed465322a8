"""Presentation of the computing estate."""
