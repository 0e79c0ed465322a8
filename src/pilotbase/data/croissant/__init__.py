"""Croissant: our datasets as JSON-LD that other tools read, and theirs as datasets of ours."""
