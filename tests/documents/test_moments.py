"""Moments are spelled alike wherever they stand, in UTC whatever zone they came with."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pilotbase.documents.moments import day_end, spell_day, spell_for_machines, spell_minute, spell_second

IN_UTC = datetime(2027, 6, 30, 20, 5, 9, 870_000, UTC)


@pytest.mark.parametrize("moment", [IN_UTC, IN_UTC.astimezone(timezone(timedelta(hours=8)))])
def test_a_moment_is_the_same_in_every_zone(moment):
    assert spell_day(moment) == "2027-06-30"
    assert spell_minute(moment) == "2027-06-30 20:05 UTC"
    assert spell_minute(moment, zone=False) == "2027-06-30 20:05"
    assert spell_second(moment) == "2027-06-30 20:05:09 UTC"
    assert spell_second(moment, zone=False) == "2027-06-30 20:05:09"
    assert spell_for_machines(moment) == "2027-06-30T20:05:09Z"


def test_a_day_ends_with_its_last_second():
    assert spell_second(day_end("2027-06-30")) == "2027-06-30 23:59:59 UTC"
