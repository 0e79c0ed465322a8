"""Files of a request: in a private folder while it lasts, or kept, encrypted, until the form is taken."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.quantities import format_mebibytes
from pilotbase.documents.texts import make_visible, text
from pilotbase.hub.acting import HubRequest, caller, language
from pilotbase.hub.base import base
from pilotbase.hub.sentences import asked, t
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import (
    Upload,
    append_piece,
    erase_upload,
    find_upload,
    finish_upload,
    list_uploads,
    read_upload,
    start_upload,
)
from pilotbase.worker.base import vault_of
from pilotbase.worker.datasets.describing import MOST_FILES
from pilotbase.worker.intake.boxed_tables import TableFacts, describe_table
from pilotbase.worker.intake.versions import own_names
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_PIECE = 4 << 20
_REMEMBERED_SECONDS = 3600
_LONGEST_NAME = 200
KEPT = "kept"


@dataclass(frozen=True)
class KeptTable:
    """A table that was sent, and what a box has seen in it."""

    upload: Upload
    facts: TableFacts


def keep_table(view: View, file: UploadedFile[Any], name: str) -> KeptTable:
    """Keep ``file`` for the organisation of the actor as ``name``, and return it.

    Raises:
        InputError: it is no table, or too large; then nothing is kept.
        RefusedError: the organisation keeps as much as it may.
    """
    upload = keep_file(view, file, name)
    with erased_on_failure(view, upload):
        return _described(view, upload)


@contextmanager
def erased_on_failure(view: View, upload: Upload) -> Iterator[None]:
    """Erase ``upload`` where what is done with it fails: nothing is kept that nobody can use."""
    try:
        yield
    except BaseException:
        erase_upload(vault_of(base(), view), upload.identity)
        raise


def keep_file(view: View, file: UploadedFile[Any], name: str) -> Upload:
    """Keep ``file`` for the organisation of the actor as ``name``, whatever it is; raises as `keep_table`."""
    vault, terms = vault_of(base(), view), caller(view).limits.uploads
    hashed = hashlib.sha256()
    for chunk in file.chunks(_PIECE):
        hashed.update(chunk)
    upload = start_upload(vault, name, file.size or 0, digest_of(hashed.hexdigest()), terms)
    with erased_on_failure(view, upload):
        for piece in file.chunks(_PIECE):
            upload = append_piece(vault, upload.identity, upload.received, piece, terms.lifetime)
        return finish_upload(vault, upload.identity)


def find_table(view: View, identity: str) -> KeptTable:
    """Return a table that was kept; raises `NotFoundError`: none such of this organisation, or its time is over."""
    return _described(view, find_upload(vault_of(base(), view), identity))


def find_kept(view: View, name: str) -> Upload | None:
    """Return the file that the organisation of the actor keeps as ``name``, or None."""
    return next((one for one in list_uploads(vault_of(base(), view)) if one.name == name and one.finished), None)


def read_kept(view: View, upload: Upload) -> bytes:
    """Return the bytes of a file that was kept."""
    return b"".join(read_upload(vault_of(base(), view), upload.identity, ReaderGrant.of_owner(upload.owner)))


def forget_file(view: View, upload: Upload) -> None:
    """Erase a file that is no longer needed."""
    erase_upload(vault_of(base(), view), upload.identity)


@contextmanager
def opened_table(view: View, upload: Upload) -> Iterator[Path]:
    """Yield the table as a file in a private folder, gone at the end of the block."""
    with private_folder() as folder:
        path = folder / upload.name
        with path.open("xb") as written:
            grant = ReaderGrant.of_owner(upload.owner)
            written.writelines(read_upload(vault_of(base(), view), upload.identity, grant))
        yield path


class _Chosen(forms.FileInput):
    allow_multiple_selected = True


class SeveralFiles(forms.FileField):
    """A field whose value is a list of at most ``most`` files, each held to what holds of one."""

    widget = _Chosen

    def __init__(self, *, most: int, too_many: Any, **told: Any) -> None:
        super().__init__(**told)
        self.most, self.too_many = most, too_many

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        found = [super(SeveralFiles, self).clean(one, initial) for one in data or [None]]
        if len(found) > self.most:
            raise forms.ValidationError(self.too_many)
        return [one for one in found if one]


class FilesForm(forms.Form):
    """The files that make one dataset."""

    tables = SeveralFiles(
        **asked("describing.files", "describing.files_help"), most=MOST_FILES, too_many=t("describing.too_many")
    )


class FileLimits(NamedTuple):
    """How large a file may be: ``form`` bytes at once, and spelled; and all that is taken, in pieces."""

    form: int
    at_once: str
    in_pieces: str


class SizedForm(forms.Form):
    """A form whose files are bounded by the settings; a template says how, with `limits`."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        most = settings.CONFIGURATION.form_bytes
        for name, value in list(given.items()):  # an error takes its field out of what was given
            if isinstance(value, UploadedFile) and (value.size or 0) > most:
                self.add_error(name, text("hub.upload_too_large", allowed=format_mebibytes(most)).render(language()))
        return given

    @property
    def limits(self) -> FileLimits:
        """Return how large a file may be: in the form itself, and sent in pieces."""
        configuration = settings.CONFIGURATION
        most, whole = configuration.form_bytes, configuration.upload_bytes
        return FileLimits(most, format_mebibytes(most), format_mebibytes(whole))


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


def make_name(name: str) -> str:
    """Return the last part of an uploaded file's name, which is never a path, with its end where it is too long."""
    last = Path(name.replace("\\", "/")).name[-_LONGEST_NAME:]
    return last if last not in ("", ".", "..", MANIFEST) else "cases.csv"


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a private folder in the home's scratch; what is wrong inside is told without the base's own path to it."""
    with tempfile.TemporaryDirectory(dir=base().home.scratch) as name, own_names(Path(name)):
        yield Path(name)


def save(upload: UploadedFile[Any], path: Path) -> Path:
    """Write an uploaded file to ``path``, which must be new, and return it."""
    with path.open("xb") as copy:
        for chunk in upload.chunks():
            copy.write(chunk)
    return path


def _described(view: View, upload: Upload) -> KeptTable:
    """Return what a box has read of the table: once, for its bytes do not change."""
    key = f"table:{upload.identity}"
    facts = cache.get(key)
    if facts is None:
        with opened_table(view, upload) as path:
            found = describe_table(path)
        facts = found.model_dump_json()
        cache.set(key, facts, _REMEMBERED_SECONDS)
    return KeptTable(upload, TableFacts.model_validate_json(facts))


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
