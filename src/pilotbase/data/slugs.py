"""Names 名称 made of what people write: lower case, digits and hyphens; Chinese by its pinyin."""

from __future__ import annotations

import re

from pilotbase.documents.base import NAME_PATTERN

LONGEST = 63
_HAN = re.compile(r"[\u3400-\u9fff]")


def slug(spelling: str, otherwise: str = "") -> str:
    """Return the name closest to ``spelling``, as ``beng-gu-zhang-2024`` to 泵故障 2024; ``otherwise`` if none is."""
    plain = re.sub(r"[^a-z0-9]+", "-", _in_latin(spelling).lower()).strip("-")[:LONGEST].rstrip("-")
    return plain if re.fullmatch(NAME_PATTERN, plain) else otherwise


def _in_latin(spelling: str) -> str:
    if not _HAN.search(spelling):
        return spelling
    from pypinyin import lazy_pinyin

    return "-".join(lazy_pinyin(spelling, v_to_u=False))
