"""Room on disk for the second pass: what it takes is known beforehand, and refused where there is not as much."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import polars as pl

from pilotbase.data.quality.tally import HELD, WORDS, KeyedRows
from pilotbase.documents.errors import InputError

_MEBIBYTE = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def room_needed(asked: Mapping[str, Sequence[KeyedRows]], frame: pl.LazyFrame, rows: int) -> int:
    """Return the MiB that `tally_all` writes at most; ``frame`` has as many ``rows``, those of others are counted."""
    counted = {id(frame): rows}
    for stream in (one for streams in asked.values() for one in streams):
        if id(stream.frame) not in counted:
            counted[id(stream.frame)] = int(stream.frame.select(pl.len()).collect(engine="streaming").item())
    found = (sum(counted[id(one.frame)] for one in streams) for streams in asked.values())
    return -(-sum(number for number in found if number > HELD) * 8 * WORDS // _MEBIBYTE)


@contextmanager
def room(needed: int) -> Iterator[None]:
    """Hold what is written within to the ``needed`` MiB of the folder for temporary files.

    Raises:
        InputError: ``quality.no_room``, before anything is written; or while it is, where somebody else fills the disk.
    """
    if needed and free_room() < needed:
        raise _refusal(needed)
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _refusal(needed) from None


def free_room() -> int:
    """Return the free MiB where temporary files are put."""
    return shutil.disk_usage(tempfile.gettempdir()).free // _MEBIBYTE


def _refusal(needed: int) -> InputError:
    return InputError("quality.no_room", folder=tempfile.gettempdir(), needed=needed, free=free_room())
