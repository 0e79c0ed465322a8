"""In what form an application comes, in words: what loads it, which file or program, where it is kept."""

from __future__ import annotations

from pilotbase.documents.application import Form
from pilotbase.documents.texts import Text, text


def form_in_words(form: Form) -> Text:
    """Return what a reader is told of the form."""
    if form.endpoint is not None:
        return text("application.form.endpoint", url=form.endpoint.url, model=form.endpoint.model)
    if form.image is not None and form.command is not None:
        return text("application.form.container", image=form.image, command=" ".join(form.command))
    if form.image is not None:
        return text("application.form.image", image=form.image)
    if form.command is not None:
        return text("application.form.command", command=" ".join(form.command))
    if form.model is not None:
        return text(f"application.form.{form.runtime}", model=form.model)
    return text("application.form.python", entry_point=form.entry_point)
