"""The manifest of a blob that is kept in chunks: which chunks, in order. The digest of the whole blob names it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Annotated, Literal

import pydantic

from pilotbase.documents.base import Document
from pilotbase.documents.hashes import Digest

Chunk = tuple[Digest, Annotated[int, pydantic.Field(ge=1)]]
"""Digest and size of a chunk."""


class CutBlob(Document):
    """Where the bytes of a large blob are."""

    document: Literal["cut-blob/1"] = "cut-blob/1"
    chunks: tuple[Chunk, ...] = pydantic.Field(min_length=1)

    @property
    def size(self) -> int:
        """Return how many bytes the blob has."""
        return sum(size for _, size in self.chunks)

    def covering(self, start: int, end: int) -> Iterator[tuple[Digest, int, int]]:
        """Yield the chunks that hold bytes ``start`` to ``end`` of the blob, each with what of it: from, and to."""
        ends = list(accumulate(size for _, size in self.chunks))
        for (digest, size), beyond in zip(self.chunks, ends, strict=True):
            begin = beyond - size
            if beyond > start and begin < end:
                yield digest, max(start - begin, 0), min(end - begin, size)
