"""Files that are fetched: written whole, gone on with where an outage has cut them off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pilotbase.protocols.guarded_http import NoAnswerError
from pilotbase.protocols.hub_requests import FilePart, PartialDownload


def write_parts(target: Path, parts: Callable[[PartialDownload | None], Iterable[FilePart]]) -> None:
    """Write a file whole; what an outage cuts off is gone on with, what a refusal does leaves nothing behind."""
    draft, named = target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.tag")
    begun = PartialDownload(draft.stat().st_size, named.read_text()) if draft.is_file() and named.is_file() else None
    try:
        with draft.open("r+b" if begun is not None else "wb") as stream:
            for part in parts(begun):
                stream.seek(part.start)
                stream.truncate()
                stream.write(part.content)
                stream.flush()
                if part.tag:
                    named.write_text(part.tag)
        draft.replace(target)
    except (NoAnswerError, KeyboardInterrupt):
        if not named.is_file():
            draft.unlink(missing_ok=True)
        raise
    except BaseException:
        draft.unlink(missing_ok=True)
        named.unlink(missing_ok=True)
        raise
    named.unlink(missing_ok=True)
