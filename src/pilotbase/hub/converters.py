"""Parts of addresses."""

from __future__ import annotations

from django.urls.converters import StringConverter

from pilotbase.documents.base import NAME
from pilotbase.documents.hashes import HEX


class Name(StringConverter):
    """The name of a record: ``plant/milling``, ``acme``, ``7f3a…``."""

    regex = f"{NAME}(?:/{NAME})?"


class WholeName(StringConverter):
    """The name of a scenario or an application, in two parts: what follows it is never taken for its end."""

    regex = f"{NAME}/{NAME}"


class Digits(StringConverter):
    """A SHA-256 digest in hex digits."""

    regex = HEX


class Drawn(StringConverter):
    """A name that was drawn by chance, in hex digits."""

    regex = r"[0-9a-f]{16}(?:[0-9a-f]{16})?"


class PublicSection(StringConverter):
    """Sections that visitors may list."""

    regex = r"scenarios|applications"


class MatchedSection(StringConverter):
    """Sections whose records are matched."""

    regex = r"scenarios|applications"


class SectionConverter(StringConverter):
    """Sections of records."""

    regex = r"scenarios|applications|trials|organisations|datasets|agreements"
