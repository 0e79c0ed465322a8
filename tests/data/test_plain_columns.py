import datetime as dt
import random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pilotbase.data.conform import conform, conformed_types
from pilotbase.data.plain_columns import decode_columns, encode_columns

MOMENT = dt.datetime(2026, 3, 1, 12, 30, 0, 250_000, dt.UTC)


@pytest.fixture
def every_type():
    return pl.DataFrame(
        {
            "number": [1.5, None, -0.0],
            "whole": [2**62, None, -1],
            "flag": [True, False, None],
            "words": ["轴承", None, ""],
            "day": [dt.date(1, 1, 1), dt.date(9999, 12, 31), None],
            "moment": [MOMENT, None, dt.datetime(1969, 7, 20, tzinfo=dt.UTC)],
        },
        schema_overrides={"moment": pl.Datetime("us", "UTC")},
    )


def encoded(frame):
    return b"".join(encode_columns(frame))


@pytest.mark.parametrize("rows", [3, 0])
def test_what_was_written_is_read(every_type, rows):
    frame = every_type.head(rows)
    assert_frame_equal(decode_columns(encoded(frame), frame.height, dict(frame.schema)), frame)


def test_a_conformed_table_comes_back_and_conforms_again(scenario, table):
    frame = conform(table(40), scenario())
    returned = decode_columns(encoded(frame), 40, conformed_types(scenario()))
    assert_frame_equal(returned, frame)
    assert_frame_equal(conform(returned, scenario()), frame)


def test_bytes_of_a_hostile_box_are_refused_or_are_a_table(every_type):
    whole, types, chance = encoded(every_type), dict(every_type.schema), random.Random(4)
    for wrong in (whole[:-1], whole + b"\0", b""):
        with pytest.raises(ValueError):
            decode_columns(wrong, 3, types)
    for _ in range(2000):
        altered = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            altered[chance.randrange(len(altered))] = chance.randrange(256)
        try:
            assert decode_columns(bytes(altered), 3, types).write_csv()
        except ValueError:
            continue


@pytest.mark.parametrize("rows", [2, 4, 1 << 39])
def test_another_count_of_rows_is_refused(every_type, rows):
    with pytest.raises(ValueError):
        decode_columns(encoded(every_type), rows, dict(every_type.schema))
