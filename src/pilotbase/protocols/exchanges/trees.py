"""Shared by all forms: a message as plain data within bounds, paths in it, and a message with a path removed."""

from __future__ import annotations

from collections.abc import Callable
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
