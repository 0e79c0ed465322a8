"""A version of a scenario made on a page: drafted about a table that was sent, or edited."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from pilotbase.catalogue.saving import SaveOptions
from pilotbase.data.drafting import DraftAnswers
from pilotbase.documents.base import LONGEST_NOTE
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Language
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.worker.base import Base
from pilotbase.worker.intake.boxed_tables import draft_in_box
from pilotbase.worker.intake.checking import check_draft
from pilotbase.worker.intake.drafting import new_scenario
from pilotbase.worker.intake.kept_files import opened_scenario, take_scenario
from pilotbase.worker.intake.versions import own_names
from pilotbase.workspace.store import View


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
            (folder / MANIFEST).write_bytes(said)
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
        (folder / MANIFEST).write_text(manifest, "utf-8")
        if table is not None:
            shutil.copyfile(table, folder / table.name)
        check_draft(folder)
        return take_scenario(base, view, folder, remarks, subject)
