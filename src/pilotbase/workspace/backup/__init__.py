"""A base as one file: written while the base works, checked when read, restored whole or not at all."""
