"""JSON bodies of a REST interface: a place is a JSON pointer (RFC 6901)."""

from __future__ import annotations

import re

from pilotbase.documents.exchanges import MessagePath
from pilotbase.documents.yaml_reader import Plain
from pilotbase.protocols.exchanges.trees import MessageFormat, Path, Tree, read_tree
from pilotbase.protocols.strict_json import WireError

_INDEX = re.compile(r"^(0|[1-9][0-9]{0,8})$")


def _locate(tree: Tree, place: MessagePath) -> list[Path]:
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


def _value(found: Plain, place: MessagePath) -> Plain:
    if isinstance(found, dict | list):
        raise WireError("exchange.wrong_type", place.at, found="{…}" if isinstance(found, dict) else "[…]")
    return found


REST = MessageFormat(read_tree, _locate, _value, lambda _: None, lambda _: None)
