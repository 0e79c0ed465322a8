"""A base as one file: written while it works, read with suspicion, restored whole or not at all."""
