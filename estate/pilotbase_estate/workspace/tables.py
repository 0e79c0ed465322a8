"""The tables of the estate in the one store; the store's own tables find them here."""

from __future__ import annotations

from pilotbase_estate.workspace import compute_tables, voucher_tables

__all__ = ["compute_tables", "voucher_tables"]
