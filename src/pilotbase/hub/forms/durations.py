"""Lengths of time in a form: ``1 s``, ``30 min``, ``1 h``, ``7 d``; cleaned they are seconds."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from pilotbase.documents.quantities import format_duration, read_duration
from pilotbase.documents.texts import text
from pilotbase.hub.acting import language
from pilotbase.hub.sentences import t


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
            bounds = {"least": format_duration(self.least), "most": format_duration(self.most)}
            raise ValidationError(text("watching.duration_bounds", **bounds).render(language()))
        return seconds
