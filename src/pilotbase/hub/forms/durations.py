"""Lengths of time as people write them in a form: ``1 s``, ``30 min``, ``1 h``, ``7 d``; inside they are seconds."""

from __future__ import annotations

import math
import re

from django import forms
from django.core.exceptions import ValidationError

from pilotbase.documents.texts import text
from pilotbase.hub.acting import language
from pilotbase.hub.sentences import t

_UNITS = {"d": 86_400, "h": 3600, "min": 60, "s": 1}
"""The largest first."""
_NAMES = {"天": "d", "日": "d", "小时": "h", "时": "h", "分钟": "min", "分": "min", "m": "min", "秒": "s", "": "s"}
_SPELLED = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]{0,3}|[天日时分秒]|小时|分钟)")


class DurationField(forms.CharField):
    """A length of time of ``least`` to ``most`` seconds, spelled with its unit; cleaned it is a number of seconds."""

    def __init__(self, *, least: int, most: int, label: object, help_text: object = "") -> None:
        super().__init__(label=label, help_text=help_text, max_length=40)  # type: ignore[arg-type]
        self.least, self.most = least, most

    def clean(self, value: object) -> int:
        """Return the seconds; raises `ValidationError`: no length of time, or out of bounds."""
        seconds = read_duration(super().clean(value))
        if seconds is None:
            raise ValidationError(t("watching.no_duration"))
        if not self.least <= seconds <= self.most:
            bounds = {"least": spell_duration(self.least), "most": spell_duration(self.most)}
            raise ValidationError(text("watching.duration_bounds", **bounds).render(language()))
        return seconds


def spell_duration(seconds: int) -> str:
    """Return a length of time in the largest unit that spells it whole, such as ``36 h``."""
    whole = (unit for unit, length in _UNITS.items() if seconds and seconds % length == 0)
    unit = next(whole, "s")
    return f"{seconds // _UNITS[unit]} {unit}"


def read_duration(written: str) -> int | None:
    """Return the seconds that ``written`` says, rounded; None: it says no length of time."""
    found = _SPELLED.fullmatch(written.strip().lower())
    if found is None:
        return None
    unit = _NAMES.get(found[2], found[2])
    return math.floor(float(found[1]) * _UNITS[unit] + 0.5) if unit in _UNITS else None
