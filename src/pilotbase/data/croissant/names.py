"""How names become ids of a Croissant file and back: ids are addresses, names are whatever people write."""

from __future__ import annotations

import re
from urllib.parse import unquote

_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\"#%:;<>?@\[\\\]^`{|}\s]")
_DOTS = re.compile(r"(^|/)(\.{1,2})(?=/|$)")
_NOT_IN_NAME = re.compile(r"[^a-z0-9_]+")


def id_of(name: str) -> str:
    """Return the id of a file or of a set of files; ``/`` stays as it is."""
    spelled = _UNSAFE.sub(_percent, name)
    return _DOTS.sub(lambda dots: dots[1] + dots[2].replace(".", "%2E"), spelled)


def id_within(*names: str) -> str:
    """Return the id of what lies within others: record set, field, sub-field."""
    return "/".join(id_of(name).replace("/", "%2F") for name in names)


def name_of(identity: str) -> str:
    """Return the name that an id spells."""
    return unquote(identity, errors="replace")


def short_name(title: str) -> str | None:
    """Return a title as a short name of ours; None where it has no letter of it."""
    return _NOT_IN_NAME.sub("-", title.lower()).strip("-_")[:63].rstrip("-_") or None


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())
