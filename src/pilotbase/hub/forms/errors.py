"""What our functions say against a form, put where the reader can mend it, in their language."""

from __future__ import annotations

from django import forms

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import language


def add_errors(form: forms.Form, error: PilotbaseError) -> None:
    """Add every problem of ``error`` to ``form``: to the field that it is about, else to the whole form."""
    reader = language()
    issues = error.issues if isinstance(error, InputError) else ()
    if not issues:
        form.add_error(None, error.render(reader, make_visible).splitlines())
    for issue in issues:
        problem = issue.say(reader, make_visible)
        if issue.path in form.fields:
            form.add_error(issue.path, problem)
        else:
            line = text("hub.line", line=issue.line).render(reader) if issue.line else ""
            place = " ".join(filter(None, (line, make_visible(issue.path))))
            form.add_error(None, f"{place}: {problem}" if place else problem)
