"""Figures of peers, from the tables of `benchmarks/house/peers.md`, which explains how they were measured."""

from __future__ import annotations

from functools import cache

from benchmarks.publishing import ROOT

PEERS = ("Starlette", "mlcroissant", "dstack", "Inspect AI")


def peers(column: str) -> dict[str, str]:
    """Return peer → the value in its row under the header ``column``. Raises KeyError if no table has one."""
    rows = next((rows for rows in _tables() if column in rows[0]), None)
    if rows is None:
        raise KeyError(f"benchmarks/house/peers.md has no column {column!r}")
    at = rows[0].index(column)
    return {row[0]: row[at] for row in rows if row[0] in PEERS}


@cache
def _tables() -> list[list[list[str]]]:
    """Return the tables of the page, each as rows of cells, the header first."""
    tables: list[list[list[str]]] = [[]]
    for line in (ROOT / "benchmarks" / "house" / "peers.md").read_text("utf-8").splitlines():
        if line.startswith("|"):
            tables[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif tables[-1]:
            tables.append([])
    return [table for table in tables if table]
