"""Typed documents, their schema, versions and vocabularies, the texts and the errors: the floor all stand on."""
