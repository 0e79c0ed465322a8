"""Shared by all forms: a message as plain data within bounds, paths in it, and a message with a path removed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pilotbase.documents.errors import InputError
from pilotbase.documents.exchanges import MessagePath
from pilotbase.documents.json_reader import parse_json
from pilotbase.documents.yaml_reader import Plain
from pilotbase.protocols.strict_json import WireError, write_json

MAXIMUM_BYTES = 1 << 20
"""Of one message."""
Tree = dict[str, Plain]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class MessageFormat:
    """How messages of one form are read and written."""

    read: Callable[[bytes], Tree]
    """Raises `WireError` where the bytes are no message of the form."""
    locate: Callable[[Tree, MessagePath], list[Path]]
    """Everything at a place; empty if the message doesn't have it."""
    value: Callable[[Plain, MessagePath], Plain]
    """The plain value at a place; raises `WireError` if it can't be read."""
    identifier: Callable[[Tree], Plain]
    time: Callable[[Tree], Plain]
    write: Callable[[Tree], bytes] = write_json
    spells: bool = False
    """Numbers and truth values are spelled as texts."""


def read_tree(body: bytes) -> Tree:
    """Return the JSON object that ``body`` spells: bounded, no key twice, no NaN; raises `WireError`."""
    require_short(body)
    try:
        return parse_json(body, "message").value
    except InputError as error:
        problem = error.issues[0].problem if error.issues else error.text
        raise WireError("exchange.unreadable", reason=problem) from None


def require_short(body: bytes) -> None:
    """Return if a message has at most `MAXIMUM_BYTES`; raises `WireError`."""
    if len(body) > MAXIMUM_BYTES:
        raise WireError("exchange.too_long", found=len(body), allowed=MAXIMUM_BYTES)


def found_at(tree: Plain, path: Path) -> Plain:
    """Return what ``path`` leads to; raises `LookupError` or `TypeError` where it leads nowhere."""
    for step in path:
        tree = tree[step]  # type: ignore[index]
    return tree


def only_value(form: MessageFormat, tree: Tree, place: MessagePath) -> Plain:
    """Return the one value at ``place``, None if there is none; raises `WireError` if there are two."""
    paths = form.locate(tree, place)
    if len(paths) > 1:
        raise WireError("exchange.stands_twice", place.at)
    return form.value(found_at(tree, paths[0]), place) if paths else None


def without(form: MessageFormat, tree: Tree, place: MessagePath) -> Tree:
    """Return the message without anything that ``place`` names."""
    for path in reversed(form.locate(tree, place)):
        tree = _without(tree, path)
    return tree


def _without(tree: Tree, path: Path) -> Tree:
    if not path:  # a message that is all about one value keeps its head
        return {name: value for name, value in tree.items() if not name.startswith("value")}
    first, *rest = path
    if not rest:
        return {name: value for name, value in tree.items() if name != first}
    return {name: _pruned(value, tuple(rest)) if name == first else value for name, value in tree.items()}


def _pruned(value: Plain, path: Path) -> Plain:
    if isinstance(value, list):
        place, rest = path[0], path[1:]
        kept = [_pruned(one, rest) if at == place and rest else one for at, one in enumerate(value)]
        return kept if rest else [one for at, one in enumerate(value) if at != place]
    return _without(value, path) if isinstance(value, dict) else value


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
