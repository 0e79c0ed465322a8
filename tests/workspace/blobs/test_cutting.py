"""Cutting by content: the same wherever pieces end, held within bounds, and undisturbed by what stands before."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

import pytest

from pilotbase.documents.hashes import digest_bytes
from pilotbase.workspace.blobs.store import _GEAR as _BYTES
from pilotbase.workspace.blobs.store import LARGEST, SMALLEST, USUAL, cut

MIB = 1 << 20
_GEAR = struct.unpack("<256I", _BYTES)


def in_pieces(data: bytes, *sizes: int) -> Iterator[bytes]:
    start, number = 0, 0
    while start < len(data):
        size = sizes[number % len(sizes)]
        yield data[start : start + size]
        start, number = start + size, number + 1


def slow_cut(data: bytes) -> list[bytes]:
    """The same once more, byte by byte, as the paper has it."""
    chunks, start = [], 0
    while start < len(data):
        rest, hashed, end = data[start : start + LARGEST], 0, None
        for place in range(SMALLEST - 31, len(rest)):
            hashed = (hashed * 2 + int(_GEAR[rest[place]])) % 2**32
            if place >= SMALLEST and hashed < (1 << 10 if place < USUAL else 1 << 14):
                end = place + 1
                break
        chunks.append(rest[:end])
        start += len(chunks[-1])
    return chunks


@pytest.mark.prove
def test_chunks_are_those_that_the_paper_cuts() -> None:
    data = random.Random(1).randbytes(4 * MIB)
    assert list(cut([data])) == slow_cut(data)


@pytest.mark.parametrize(
    "made",
    [
        lambda: b"",
        lambda: b"x",
        lambda: bytes(9 * MIB),
        lambda: random.Random(2).randbytes(9 * MIB),
        lambda: b"".join(b"%d,%d,ab\n" % (number, number * 7919 % 1000) for number in range(400_000)),
    ],
    ids=["nothing", "one byte", "zeros", "noise", "table"],
)
def test_all_bytes_are_there_within_bounds_however_they_came(made: Callable[[], bytes]) -> None:
    data = made()
    chunks = list(cut([data] if data else []))
    assert b"".join(chunks) == data
    assert all(SMALLEST < len(chunk) <= LARGEST for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= LARGEST for chunk in chunks)
    for sizes in [(1000,), (65_536, 1, 300_000), (5 * MIB,)]:
        assert list(cut(in_pieces(data, *sizes))) == chunks


def test_most_chunks_are_about_as_large_as_usual() -> None:
    sizes = [len(chunk) for chunk in cut([random.Random(3).randbytes(48 * MIB)])][:-1]
    assert 0.8 * USUAL < sum(sizes) / len(sizes) < 1.4 * USUAL
    assert sum(size == LARGEST for size in sizes) == 0


@pytest.mark.parametrize("place", [0, 5 * MIB, 12 * MIB])
def test_what_is_put_in_or_taken_out_changes_the_chunks_around_it_only(place: int) -> None:
    data = random.Random(4).randbytes(12 * MIB)
    known = {digest_bytes(chunk) for chunk in cut([data])}
    for edited in (data[:place] + b"some words" + data[place:], data[:place] + data[place + 999 :]):
        new = [chunk for chunk in cut([edited]) if digest_bytes(chunk) not in known]
        assert len(new) <= 2


def test_where_it_cuts_is_settled_for_good() -> None:
    """What is stored was cut like this: another place would share nothing with it."""
    sizes = [len(chunk) for chunk in cut([random.Random(5).randbytes(6 * MIB)])]
    assert sizes == [1517125, 1053113, 1097570, 314561, 1137970, 1171117]
