"""Closed lists: their values have names in both languages, and plug-ins may add some to those of the core."""

from __future__ import annotations

from enum import StrEnum
from types import new_class
from typing import Any, ClassVar, TypeVar, cast

from pilotbase.documents.plugins import mirrored

_Kind = TypeVar("_Kind", bound=StrEnum)


class Vocabulary(StrEnum):
    """A closed list whose values have names in both languages: text ``<domain>.<value>``."""

    domain: ClassVar[str]

    def __init_subclass__(cls, domain: str) -> None:
        cls.domain = domain


def extended(core: type[_Kind]) -> type[_Kind]:
    """Add to a closed list of the core what plug-ins declare in `ADDED` of their ``documents.vocabularies``.

    ``ADDED`` names the list and its new values: ``{"NoticeKind": ("claim",)}``. In the plug-in, ``NoticeKind("claim")``
    is the new member.

    Raises:
        TypeError: a value is declared twice.
    """
    added = (one for plugin in mirrored("documents.vocabularies") for one in plugin.ADDED.get(core.__name__, ()))
    members = [(one.name, one.value) for one in core] + [(value.upper(), value) for value in added]

    def fill(body: Any) -> None:
        body["__module__"], body["__doc__"] = core.__module__, core.__doc__
        for name, value in members:
            body[name] = value

    told = {"domain": core.domain} if issubclass(core, Vocabulary) else {}
    return cast("type[_Kind]", new_class(core.__name__, core.__bases__, told, fill))
