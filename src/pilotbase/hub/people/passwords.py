"""What a password must be, said in both languages: long, and no short thing repeated or counted up."""

from __future__ import annotations

import re
from itertools import pairwise

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core.exceptions import ValidationError

from pilotbase.documents.texts import text
from pilotbase.hub.acting import language

_LEAST_CHARACTERS = 5
_MOST_NEIGHBOURS = 0.6
"""Such a share of the steps between characters may lead to a neighbour or nowhere, as in ``1234`` or ``aaaa``."""


class LongEnough(MinimumLengthValidator):
    """Refuses passwords that are shorter than ``min_length``."""

    def get_error_message(self) -> str:
        return text("hub.password_short", allowed=self.min_length).render(language())

    def get_help_text(self) -> str:
        return text("hub.help_password").render(language())


class Varied:
    """Refuses what is long and easy to guess: few characters, a short piece repeated, a row of neighbours."""

    def validate(self, password: str, user: object = None) -> None:
        folded = password.casefold()
        neighbours = sum(abs(ord(one) - ord(other)) <= 1 for one, other in pairwise(folded))
        is_row = neighbours > (len(folded) - 1) * _MOST_NEIGHBOURS
        if len(set(folded)) < _LEAST_CHARACTERS or re.fullmatch(r"(.+?)\1+", folded, re.DOTALL) or is_row:
            raise ValidationError(text("hub.password_monotonous").render(language()))

    def get_help_text(self) -> str:
        return ""
