"""The tables of the estate, which the store knows besides its own."""

from __future__ import annotations

from pilotbase_estate.workspace import compute_tables, voucher_tables

__all__ = ["compute_tables", "voucher_tables"]
