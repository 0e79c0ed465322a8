"""Messages without a standard of the field: JSON bodies of a REST interface, and rows of a CSV file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from pilotbase.documents.exchanges import MessagePath
from pilotbase.documents.yaml_reader import Plain
from pilotbase.protocols.exchanges.trees import MessageFormat, Path, Tree, read_tree, require_short
from pilotbase.protocols.strict_json import WireError

_INDEX = re.compile(r"^(0|[1-9][0-9]{0,8})$")
_LONGEST_CELL = 1 << 16


def _rest_locate(tree: Tree, place: MessagePath) -> list[Path]:
    """Return where the pointer leads: RFC 6901, section 4; a pointer without a slash names a member."""
    here: Plain = tree
    path: list[str | int] = []
    for token in place.at.removeprefix("/").split("/"):
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(here, list) and _INDEX.match(name) and int(name) < len(here):
            step: str | int = int(name)
            here = here[int(name)]
        elif isinstance(here, dict) and name in here:
            step, here = name, here[name]
        else:
            return []
        path.append(step)
    return [tuple(path)]


def _rest_value(found: Plain, place: MessagePath) -> Plain:
    if isinstance(found, dict | list):
        raise WireError("exchange.wrong_type", place.at, found="{…}" if isinstance(found, dict) else "[…]")
    return found


REST = MessageFormat(read_tree, _rest_locate, _rest_value, lambda _: None, lambda _: None)


def messages_in(content: str) -> Iterator[bytes]:
    """Yield of each row of a CSV file the message that it is; raises `csv.Error`."""
    rows = csv.reader(io.StringIO(content, newline=""), strict=True)
    header = next(rows, None)
    for row in rows:
        if header is not None and row:
            yield _spelled(header, row)


def _spelled(*rows: list[str]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()


def _read(body: bytes) -> Tree:
    require_short(body)
    try:
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise WireError("exchange.unreadable", reason=str(error)[:200]) from None
    header, cells = (rows[0], rows[1]) if len(rows) == 2 else ([], rows)
    if not header or len(header) != len(cells) or len(set(header)) != len(header):
        raise WireError("exchange.ragged", found=len(cells), allowed=len(header))
    if any("\0" in str(cell) or len(cell) > _LONGEST_CELL for cell in cells):
        raise WireError("exchange.wrong_type", "row", found="…")
    return dict(zip(header, map(str, cells), strict=True))


def _write(tree: Tree) -> bytes:
    return _spelled(list(tree), [str(cell) for cell in tree.values()])


def _row_locate(tree: Tree, place: MessagePath) -> list[Path]:
    return [(place.at,)] if place.at in tree else []


def _row_value(found: Plain, place: MessagePath) -> Plain:
    return found or None


FILES = MessageFormat(_read, _row_locate, _row_value, lambda _: None, lambda _: None, _write, spells=True)
