"""Months or years of a field, as people spell them: ``taken=2025-01..2026-06``, ``born=1940..2010``."""

from __future__ import annotations

import re

from pydantic import ValidationError

from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import issues_of
from pilotbase.documents.private import DateRange

_DATES = re.compile(r"(.+)=(\d{4}(?:-\d{2})?)\.\.(\d{4}(?:-\d{2})?)")


def read_date_range(spelled: str) -> DateRange:
    """Return the field with its months or years.

    Raises:
        InputError: it is not spelled so, or ends before it begins, or there are too many of them.
    """
    found = _DATES.fullmatch(spelled)
    if found is None:
        raise InputError("private.spelled_dates", found=spelled)
    try:
        return DateRange(field=found[1], first=found[2], last=found[3])
    except ValidationError as error:
        raise InputError.from_issues(spelled, issues_of(spelled, error)) from None
