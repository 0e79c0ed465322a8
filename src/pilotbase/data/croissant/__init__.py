"""Croissant: a dataset as JSON-LD that other tools read, and theirs as a dataset of ours."""
