"""What our functions say against a form, put where the reader can mend it, in their language."""

from __future__ import annotations

from django import forms

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import language


def add_errors(form: forms.Form, error: PilotbaseError) -> None:
    """Add every problem of ``error`` to ``form``: to the field that it is about, else to the whole form."""
    reader = language()
    issues = error.issues if isinstance(error, InputError) else ()
    if not issues:
        form.add_error(None, error.render(reader, make_visible).splitlines())
    for issue in issues:
        problem = issue.problem.render(reader, make_visible)
        if issue.path in form.fields:
            form.add_error(issue.path, problem)
        else:
            form.add_error(None, f"{make_visible(issue.path)}: {problem}" if issue.path else problem)
