"""Typed documents, their schema, versions and vocabularies, texts and errors: the base layer for everything else."""
