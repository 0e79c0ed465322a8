"""The table of greetings."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from pilotbase.workspace.columns import SERIAL, metadata

greetings = Table(
    "tiny_greetings",
    metadata,
    Column("number", SERIAL, primary_key=True, autoincrement=True),
    Column("name", String(63), nullable=False),
    sqlite_autoincrement=True,
)
