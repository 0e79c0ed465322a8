"""The tables of services: keys, budgets, metering."""

from __future__ import annotations

from pilotbase.workspace.columns import counts, index, key, moments, numbers, table, unique, words

service_keys = table(
    "service_keys",
    *words(
        identity=16, service=63, organisation=120, title=200, prefix=16, secret=64, scopes=100, budget=63, made_by=63
    ),
    *moments("made_at", "expires_at"),
    *moments("revoked_at", null=True),
    key("identity"),
    unique("secret"),
    index("service_keys_of", "service", "made_at"),
)
"""Who may call a service. ``secret`` is its hex SHA-256, ``prefix`` its beginning; no budget: ''."""

service_budgets = table(
    "service_budgets",
    *words(service=63, name=63, period=8),
    *numbers("calls", "tokens", null=True),
    key("service", "name"),
)
"""How much may be used in a period ('month' or 'total'); null: no limit."""

service_spending = table(
    "service_spending",
    *words(service=63, budget=63, period=8),
    *numbers("calls", "tokens"),
    key("service", "budget", "period"),
)
"""The part of a budget spent in one period (``2026-11``, or 'total'): used, or in an allotment."""

allotments = table(
    "allotments",
    *words(desk=32, service=63, budget=63, period=8),
    *numbers("calls", "tokens"),
    *moments("renewed_at"),
    key("desk", "service", "budget", "period"),
    index("allotments_of", "service", "budget", "period"),
    index("allotments_renewed", "renewed_at"),
)
"""The part of a budget that a desk holds and has not accounted for: included in ``service_spending``."""

service_meters = table(
    "service_meters",
    *words(service=63),
    *moments("hour"),
    *words(key=16, version=71, end=20),
    *numbers("calls", "cases", "tokens", "microseconds"),
    key("service", "hour", "key", "version", "end"),
)
"""What was used, by the hour in which the call ended; ``version``: digest of the answering version, or ''."""

service_journals = table("service_journals", *words(desk=32), *counts("segment"), *numbers("place"), key("desk"))
"""The segment and byte up to which the journal of a desk has been taken in; segment -1: all of it."""
