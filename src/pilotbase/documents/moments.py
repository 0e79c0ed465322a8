"""Times for people and machines, always in UTC; when a day ends, and whether it is over."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum


class DateOrder(StrEnum):
    """Which part comes first in dates such as 03/04/2024."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


def format_day(moment: datetime) -> str:
    """Return ``2027-06-30``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def format_minute(moment: datetime, zone: bool = True) -> str:
    """Return ``2027-06-30 14:05 UTC``; without ``zone`` if UTC is stated beside it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}{' UTC' if zone else ''}"


def format_second(moment: datetime, zone: bool = True) -> str:
    """Return ``2027-06-30 14:05:09 UTC``; without ``zone`` if UTC is stated beside it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}{' UTC' if zone else ''}"


def format_for_machines(moment: datetime) -> str:
    """Return ``2027-06-30T14:05:09Z`` (RFC 3339)."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def day_end(day: str) -> datetime:
    """Return the last moment of a day such as ``2027-06-30``."""
    return datetime.fromisoformat(f"{day}T23:59:59").replace(tzinfo=UTC)


def has_passed(day: str, now: datetime) -> bool:
    """Return whether a day such as ``2027-06-30`` is over."""
    return format_day(now) > day
