"""From an upload to a version of a record: an archive is unpacked in a box, checked, kept, and erased."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pilotbase.catalogue.applications import MANIFEST
from pilotbase.catalogue.folders import MAXIMUM_DEPTH, MAXIMUM_FILES
from pilotbase.catalogue.saving import SaveOptions
from pilotbase.data.drafting import DraftAnswers
from pilotbase.data.scenario_yaml import write_scenario_yaml
from pilotbase.documents.base import LONGEST_NOTE
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Language, Text, text
from pilotbase.sandbox.box.unpacking import UnpackLimits, unpack_zip
from pilotbase.trial.scenario_folder import MANIFEST as SCENARIO_MANIFEST
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import erase_upload, find_upload, read_upload
from pilotbase.worker.base import Base, vault_of
from pilotbase.worker.intake.boxed_tables import cases_in_box, draft_in_box
from pilotbase.worker.intake.checking import check_draft
from pilotbase.worker.intake.drafting import new_scenario
from pilotbase.worker.intake.kept_files import opened_scenario, take_application, take_scenario
from pilotbase.worker.intake.table_drafts import criteria_at
from pilotbase.workspace.actors import require_may_begin
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


def take_uploaded_scenario(base: Base, view: View, upload: str, most_bytes: int, remarks: SaveOptions) -> Record:
    """Return the record with the scenario whose zipped folder is ``upload``; the upload is then erased.

    Raises:
        NotFoundError: there is no such upload of the actor's organisation.
        InputError: archive or scenario is wrong, with every problem at once.
        RefusedError: the actor is not its owner, or the record is not in a state to take a version.
    """
    known = _taken_before(base, view, upload, Act.SCENARIO_REGISTER)
    if known is not None:
        return known
    with _opened(base, view, upload, most_bytes) as folder:
        check_draft(folder)
        record = take_scenario(base, view, folder, remarks)
    erase_upload(vault_of(base, view), upload)
    return record


def take_uploaded_application(
    base: Base, view: View, upload: str, most_bytes: int, made_for: tuple[Subject | None, SaveOptions]
) -> Record:
    """Return the record with the application whose zipped folder is ``upload``; the upload is then erased.

    ``made_for``: the scenario that it is made for, and the accompanying remarks. Raises as `take_uploaded_scenario`.
    """
    known = _taken_before(base, view, upload, Act.APPLICATION_REGISTER)
    if known is not None:
        return known
    scenario, remarks = made_for
    with _opened(base, view, upload, most_bytes) as folder:
        record = take_application(base, view, _with_manifest(folder), scenario, remarks)
    erase_upload(vault_of(base, view), upload)
    return record


@contextmanager
def unpacked(base: Base, archive: Iterable[bytes], most_bytes: int) -> Iterator[Path]:
    """Yield the contents of the zip ``archive`` as a folder, private and gone at the end of the block.

    ``most_bytes``: the limit of its unpacked size; its own size, if that is more. Raises as `unpack_zip`.
    """
    with tempfile.TemporaryDirectory(dir=base.home.scratch) as name:
        place = Path(name, "archive")
        place.mkdir()
        with (place / "folder.zip").open("xb") as written:
            written.writelines(archive)
            bounds = UnpackLimits(max(most_bytes, written.tell()), MAXIMUM_FILES, MAXIMUM_DEPTH)
        with own_names(Path(name)):
            yield unpack_zip(place / "folder.zip", Path(name, "folder"), bounds)


@contextmanager
def own_names(folder: Path) -> Iterator[None]:
    """Report errors inside ``folder`` without the base's own path to it."""
    try:
        yield
    except InputError as error:
        error.text = _without(folder, error.text)
        error.issues = tuple(
            issue.model_copy(
                update={
                    "file": _short(folder, issue.file),
                    "problem": _without(folder, issue.problem),
                    "hint": issue.hint and _without(folder, issue.hint),
                }
            )
            for issue in error.issues
        )
        raise


def _without(folder: Path, sentence: Text) -> Text:
    params: dict[str, object] = {}
    for name, value in sentence.params.items():
        if isinstance(value, Text):
            params[name] = _without(folder, value)
        else:
            params[name] = _short(folder, value) if isinstance(value, str) else value
    return text(sentence.code, **params)


def _short(folder: Path, words: str) -> str:
    """Return ``words`` with paths as the person who packed the folder knows them."""
    return words.replace(f"{folder}/folder/", "").replace(f"{folder}/", "").replace(str(folder), ".")


def _with_manifest(folder: Path) -> Path:
    """Return the folder with the manifest: a starter kit has the public sample beside the application's own folder."""
    inner = [one for one in folder.iterdir() if (one / MANIFEST).is_file()]
    return inner[0] if len(inner) == 1 and not (folder / MANIFEST).is_file() else folder


def _taken_before(base: Base, view: View, upload: str, act: Act) -> Record | None:
    """Return the record that this very request made of ``upload``, which is erased last; None if work remains."""
    require_may_begin(act, view.actor)
    record = view.done(Record)
    if record is not None:
        with suppress(NotFoundError):
            find_upload(vault_of(base, view), upload)
            return None
    return record


@contextmanager
def _opened(base: Base, view: View, upload: str, most_bytes: int) -> Iterator[Path]:
    grant = ReaderGrant.of_owner(view.actor.organisation)
    with unpacked(base, read_upload(vault_of(base, view), upload, grant), most_bytes) as folder:
        yield folder


def take_drafted(base: Base, view: View, table: Path, said: DraftAnswers | bytes, language: Language) -> Record:
    """Register a new scenario about ``table``: drafted from answers, or with a finished manifest.

    What the draft has guessed is the note of the first step, in ``language``.

    Raises:
        InputError: the draft or the manifest is wrong, with every problem at once; raises as `take_scenario`.
    """
    note = ""
    with tempfile.TemporaryDirectory(dir=base.home.scratch) as scratch, own_names(Path(scratch)):
        folder = Path(scratch, "scenario")
        if isinstance(said, bytes):
            folder.mkdir()
            (folder / SCENARIO_MANIFEST).write_bytes(said)
            shutil.copyfile(table, folder / table.name)
            check_draft(folder)
        else:
            drafted = new_scenario(table, said, folder, draft_in_box)
            note = "\n".join(line.render(language) for line in drafted.lines[:-1])[:LONGEST_NOTE]
        return take_scenario(base, view, folder, SaveOptions(note, new=True))


def take_edited(
    base: Base, view: View, before: Scenario, manifest: str, table: Path | None, remarks: SaveOptions
) -> Record:
    """Save the next version of ``before``: its data stay unless ``table`` is new; raises as `take_drafted`."""
    subject: Subject = before.subject
    with opened_scenario(base, before) as folder, own_names(folder):
        (folder / SCENARIO_MANIFEST).write_text(manifest, "utf-8")
        if table is not None:
            shutil.copyfile(table, folder / table.name)
        check_draft(folder)
        return take_scenario(base, view, folder, remarks, subject)


def take_reworded(base: Base, view: View, before: Scenario, said: Mapping[str, object], remarks: SaveOptions) -> Record:
    """Save the next version of ``before`` with other words or costs; criteria that its costs led to follow them.

    Raises as `take_edited`.
    """
    after = Scenario.model_validate({**dict(before), **said})
    if after.costs is not None and after.costs != before.costs:
        with opened_scenario(base, before) as folder:
            criteria = criteria_at(before, cases_in_box(before, folder), after.costs)
        after, remarks = after.model_copy(update={"criteria": criteria}), replace(remarks, why_holds=True)
    return take_edited(base, view, before, write_scenario_yaml(after), None, remarks)
