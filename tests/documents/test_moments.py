"""Moments are spelled alike wherever they stand, in UTC whatever zone they came with."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pilotbase.documents.moments import (
    day_end,
    format_day,
    format_for_machines,
    format_minute,
    format_second,
    has_passed,
)
from tests.packages_for_tests import files

SPELLERS = {
    "documents/moments.py",
    "vouchers/settling.py",  # an hour, in the name of what it settles
    "charts/mission.py",  # these two: the time of day alone, on an axis of some minutes
    "charts/watch.py",
    "hub/pages/claims.py",  # these two: a day, as browsers take what a field begins with
    "hub/pages/what_if.py",
    "data/batches.py",
    "data/column_types.py",
    "data/private/synthetic.py",
    "data/quality/columns.py",
    "protocols/contract_cases.py",  # these five: moments in tables and cases, which are data
    "watch/observations.py",  # in the reason of a refused case
}
"""Who has a format of a moment."""
IN_UTC = datetime(2027, 6, 30, 20, 5, 9, 870_000, UTC)


@pytest.mark.parametrize("moment", [IN_UTC, IN_UTC.astimezone(timezone(timedelta(hours=8)))])
def test_a_moment_is_the_same_in_every_zone(moment):
    assert format_day(moment) == "2027-06-30"
    assert format_minute(moment) == "2027-06-30 20:05 UTC"
    assert format_minute(moment, zone=False) == "2027-06-30 20:05"
    assert format_second(moment) == "2027-06-30 20:05:09 UTC"
    assert format_second(moment, zone=False) == "2027-06-30 20:05:09"
    assert format_for_machines(moment) == "2027-06-30T20:05:09Z"


def test_a_day_ends_with_its_last_second():
    assert format_second(day_end("2027-06-30")) == "2027-06-30 23:59:59 UTC"
    midnight = datetime(2027, 7, 1, tzinfo=UTC)
    assert not has_passed("2027-06-30", midnight - timedelta(microseconds=1))
    assert has_passed("2027-06-30", midnight)
    assert not has_passed("2027-06-30", datetime(2027, 7, 1, 7, tzinfo=timezone(timedelta(hours=8))))


def test_nobody_else_has_a_format_of_a_moment():
    found = {file for file, path in files("*.py") if re.search(r"%H:%M|%Y-%m-%d|:%F", path.read_text("utf-8"))}
    assert found == SPELLERS
