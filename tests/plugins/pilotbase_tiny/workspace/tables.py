"""The table of greetings."""

from __future__ import annotations

from pilotbase.workspace.columns import key, serial, table, words

greetings = table("tiny_greetings", serial("number"), *words(name=63), key("number"))
