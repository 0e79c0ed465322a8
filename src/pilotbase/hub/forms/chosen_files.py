"""A file that was chosen in a form stays chosen until the form is taken: nobody is asked for it again.

It is kept as an upload of the organisation, encrypted, while the rest of the form is mended, and erased when it is
taken in or its time is over.
"""

from __future__ import annotations

from typing import ClassVar

from django import forms

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.base import base
from pilotbase.hub.forms.kept_tables import forget_file, keep_file
from pilotbase.hub.forms.private_files import make_name
from pilotbase.vault.uploads import Upload, find_upload
from pilotbase.worker.intake.versions import vault_of
from pilotbase.workspace.failures import NotFoundError

KEPT = "kept"


class KeepingForm(forms.Form):
    """A form with one file that stays chosen; a template shows `chosen` beside the field ``keeps``."""

    keeps: ClassVar[str]
    kept = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)
    chosen: Upload | None = None


def chosen_file(request: HubRequest, form: KeepingForm) -> Upload | None:
    """Return the file that came with ``form``, kept from now on, or that came before; None where there is none.

    One that comes now takes the place of the one before. What stands against it stands at its field.
    """
    form.is_valid()
    file, before = form.cleaned_data.get(form.keeps), _before(request, form)
    if file is None or form.keeps in form.errors:
        return _choose(form, before)
    try:
        upload = keep_file(request.acting.view, file, make_name(file.name))
    except (InputError, RefusedError) as error:
        form.add_error(form.keeps, error.render(language(), make_visible).splitlines())
        return _choose(form, before)
    if before is not None:
        forget_file(request.acting.view, before)
    return _choose(form, upload)


def _before(request: HubRequest, form: KeepingForm) -> Upload | None:
    """Return what was kept before; where its time is over the field says so."""
    identity = str(form.cleaned_data.get(KEPT) or "")
    if not identity:
        return None
    try:
        return find_upload(vault_of(base(), request.acting.view), identity)
    except NotFoundError as error:
        if form.add_prefix(form.keeps) not in request.FILES:
            form.add_error(form.keeps, error.render(language(), make_visible).splitlines())
        return None


def _choose(form: KeepingForm, upload: Upload | None) -> Upload | None:
    """Let the form, shown again, name what is chosen."""
    form.chosen = upload
    form.data = form.data.copy()  # type: ignore[attr-defined]
    form.data[form.add_prefix(KEPT)] = upload.identity if upload is not None else ""  # type: ignore[index]
    return upload
