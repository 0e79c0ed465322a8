"""How long a password is at least, said in both languages: Django's own sentence is not in Chinese."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator

from pilotbase.documents.texts import text
from pilotbase.hub.acting import language


class LongEnough(MinimumLengthValidator):
    """Refuses passwords that are shorter than ``min_length``."""

    def get_error_message(self) -> str:
        return text("hub.password_short", allowed=self.min_length).render(language())

    def get_help_text(self) -> str:
        return text("hub.help_password").render(language())
