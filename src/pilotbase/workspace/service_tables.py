"""The tables of services: keys, budgets, metering. The migrations build them; a test compares the two."""

from __future__ import annotations
