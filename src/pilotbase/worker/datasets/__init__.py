"""Shared datasets: their contributions, files that their owners keep here, what others take and are shown."""
