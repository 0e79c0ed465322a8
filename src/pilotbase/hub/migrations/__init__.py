"""Migrations of the accounts; released ones are never edited."""
