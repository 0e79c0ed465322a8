"""Datasets shared: what came of them, files that their owners keep here, what others take and are shown."""
