"""The explicit label of a text: 人工智能 or AI, and 生成 or 合成, at its beginning or its end."""

from __future__ import annotations

import re

from pilotbase.documents.standard_check import LabelState

NEAR = 200
"""Letters from either end that count as beginning and end; further inside nobody can tell whether the place fits."""
_LABEL = re.compile(r"(?<![A-Za-z])(?:人工智能|AI)(?:技术|模型|大模型|辅助)?\s*(?:自动)?(?:生成|合成)")
_DENIED = re.compile(r"(?:非|不是|并非|未经|没有|不含|不由|无)\s*(?:由|经)?\s*$")


def explicit_label(content: str) -> LabelState:
    """Return ``present`` for a label at either end, ``not_measured`` for one elsewhere, else ``absent``."""
    places = [
        match.start()
        for match in _LABEL.finditer(content)
        if not _DENIED.search(content[max(0, match.start() - 12) : match.start()])
    ]
    stripped = len(content.rstrip())
    if any(place < NEAR or place >= stripped - NEAR for place in places):
        return "present"
    return "not_measured" if places else "absent"
