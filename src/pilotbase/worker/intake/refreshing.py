"""The next version of a scenario's data from a source that keeps growing: previewed first, then carried out.

A crash may interrupt the writing at any point; its order is: the version's table beside the old one, then the manifest
that names it, then the sealing (of a record: its next version, which is sealed once it is open). Run again after an
interruption, the same command finds the same new cases and does the rest; after completion there is nothing new.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pilotbase.catalogue.saving import SaveOptions
from pilotbase.data.drift import Drift, drift
from pilotbase.data.leakage import LeakageCheck, check_leakage
from pilotbase.data.source_cases import read_living_source
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.files import write_whole
from pilotbase.documents.progress import ignore_progress
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome, Role
from pilotbase.trial.scenario_folder import MANIFEST, load_scenario, read_scenario
from pilotbase.trial.scoring import error_level
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.trial.sealing import (
    DataVersion,
    NextVersion,
    Unchanged,
    hidden_rows,
    next_version,
    shown_so_far,
    versions_of,
)
from pilotbase.vault.attempts import remaining
from pilotbase.worker.base import Base
from pilotbase.worker.intake.kept_files import opened_scenario, take_scenario
from pilotbase.worker.intake.scenario_tables import check_cases
from pilotbase.worker.trials.hidden_budgets import scenario_at
from pilotbase.worker.trials.kits import seal_in
from pilotbase.workspace.actors import Actor

_FILE = re.compile(r"^(?P<head>[ \t]+file:[ \t]*)(?P<name>[^#\n]*?)(?P<tail>[ \t]*(#.*)?)$", re.MULTILINE)
_COPIES = frozenset({"exact_duplicates", "near_duplicates", "similar_cases"})


@dataclass(frozen=True)
class Refreshing:
    """What a source would change; ``found`` is a preview, and nothing is done yet."""

    scenario: Scenario
    rows: int
    before: DataVersion
    found: NextVersion | Unchanged
    drifts: tuple[Drift, ...]
    leaks: tuple[LeakageCheck, ...]

    def lines(self, base: Base) -> Iterator[Text]:
        """Yield what would change, in sentences."""
        found, left = self.found, remaining(base.lab.vault, self.before.hidden)
        counts = {"known": found.known, "changed": found.changed, "gone": found.gone}
        yield text("worker.refresh_before", version=self.before.number, fresh=left.fresh, attempts=left.attempts)
        if isinstance(found, Unchanged):
            yield text("worker.refresh_nothing", rows=self.rows, version=self.before.number, **counts)
            return
        yield text("worker.refresh_counts", rows=self.rows, new=found.new, **counts)
        hidden, public = found.split.hidden.height, found.split.public.height
        shown = found.new - hidden
        yield text("worker.refresh_version", version=found.number, hidden=hidden, public=public, shown=shown)
        alpha = f"{error_level(self.scenario.criteria):.2g}"
        yield text("worker.refresh_budget", attempts=self.scenario.trial.attempts, alpha=alpha)
        for one in self.drifts:
            yield text("worker.refresh_drift", column=one.column, index=f"{one.index:.2f}")
        if not self.drifts:
            yield text("worker.refresh_no_drift")
        for check in self.leaks:
            yield check.sentence


@dataclass(frozen=True)
class OpenRefresh:
    """A scenario that is open for refreshing."""

    base: Base
    scenario: Scenario
    folder: Path
    looked: Refreshing
    subject: str | None

    def carry_out(self) -> Text:
        """Seal the next version and return that it is done; without new cases nothing changes.

        A scenario on a record is sealed once its owner has submitted it and it is open, as always.

        Raises:
            InputError: a trial would refuse these data, or the way the manifest names its file is not understood.
            RefusedError: hidden cases are copies of cases that were shown before.
        """
        found = self.looked.found
        if isinstance(found, Unchanged):
            return text("worker.refresh_none", version=self.looked.before.number)
        failed = next((check.sentence for check in self.looked.leaks if check.outcome is Outcome.FAIL), None)
        if failed is not None:
            raise RefusedError("trial.leakage", problem=failed)
        name = _version_file(self.scenario.data.file, found.number)
        content = io.BytesIO()
        found.table.write_parquet(content)  # bit by bit: the split of a case depends on its values
        manifest = _renamed(self.folder / MANIFEST, self.scenario, name)
        _check(self.base, manifest, name, content.getvalue())
        write_whole(self.folder / name, content.getvalue(), 0o600)
        write_whole(self.folder / MANIFEST, manifest)
        if self.subject is not None:
            note = f"{self.scenario.data.file} → {name}"
            # A user who has the home has the keys of everything in it, and acts for the owner of these data.
            owner = Actor(self.scenario.owner.organisation, frozenset({Role.DEMAND_OWNER}))
            view = self.base.lab.store.as_actor(owner)
            take_scenario(self.base, view, self.folder, SaveOptions(note, why_holds=True), self.subject)
            return text("worker.refresh_handed_in", version=found.number, hidden=found.split.hidden.height)
        sealed: OpenedScenario = seal_in(self.base, self.folder, Step.FREEZE, ignore_progress)
        hidden, version = sealed.record.hidden_cases, sealed.record.version
        return text("worker.refresh_done", version=version, hidden=hidden, file=name)


@contextmanager
def refreshing(base: Base, scenario: str, source: str, table: str | None = None) -> Iterator[OpenRefresh]:
    """Open a scenario, a folder or the name of a record such as ``plant/milling``, for refreshing from ``source``.

    Raises:
        InputError: no such folder or record, a source that cannot be read or does not fit, with every problem at once.
    """
    document, subject = scenario_at(base.lab.view, scenario)
    if subject is not None:
        with opened_scenario(base, document) as folder:
            yield OpenRefresh(base, document, folder, _look(base, document, source, table), subject)
        return
    document, folder = load_scenario(Path(scenario), Step.FREEZE)
    yield OpenRefresh(base, document, folder, _look(base, document, source, table), None)


def _look(base: Base, scenario: Scenario, source: str, table: str | None) -> Refreshing:
    versions = versions_of(base.lab.view, scenario)
    if not versions:
        raise InputError("worker.refresh_unsealed", scenario=scenario.name)
    with tempfile.TemporaryDirectory(dir=base.home.scratch) as scratch:
        cases = read_living_source(source, scenario, Path(scratch), table)
    found = next_version(base.lab, scenario, cases)
    if isinstance(found, Unchanged):
        return Refreshing(scenario, cases.height, versions[-1], found, (), ())
    columns = [*(field.name for field in scenario.feature_fields), scenario.data.target]
    earlier = hidden_rows(base.lab, versions[-1].hidden)
    shown = pl.concat([shown_so_far(base.lab, found.split.public), found.split.public]).unique(maintain_order=True)
    leaks = [
        *check_leakage(found.split.public, found.split.hidden, scenario).checks,
        *(one for one in check_leakage(shown, found.split.hidden, scenario).checks if one.name in _COPIES),
    ]
    leaks = [one for one in leaks if one.outcome is not Outcome.PASS or one.name in _COPIES]
    told = tuple(one for place, one in enumerate(leaks) if one not in leaks[:place])
    drifts = tuple(drift(earlier, found.split.hidden, columns))
    return Refreshing(scenario, cases.height, versions[-1], found, drifts, told)


def _check(base: Base, manifest: str, name: str, table: bytes) -> None:
    """Check scenario and table of the next version as `pilotbase scenario check` does."""
    with tempfile.TemporaryDirectory(dir=base.home.scratch) as scratch:
        folder = Path(scratch)
        (folder / MANIFEST).write_text(manifest, "utf-8")
        (folder / name).write_bytes(table)
        check_cases(read_scenario(folder, Step.FREEZE)[0].require(), folder)


def _version_file(file: str, number: int) -> str:
    stem = re.sub(r"-v\d+$", "", Path(file).with_suffix("").as_posix())
    return f"{stem}-v{number}.parquet"


def _renamed(manifest: Path, scenario: Scenario, name: str) -> str:
    """Return the manifest with another ``data.file``, and everything else as its owner wrote it."""
    content = manifest.read_text("utf-8")
    changed = scenario.model_copy(update={"data": scenario.data.model_copy(update={"file": name})})
    for line in _FILE.finditer(content):
        renamed = content[: line.start("name")] + name + content[line.end("name") :]
        with tempfile.TemporaryDirectory() as scratch:
            (Path(scratch) / MANIFEST).write_text(renamed, "utf-8")
            document = read_scenario(Path(scratch), Step.DRAFT)[0].document
        if document == changed:
            return renamed
    raise InputError("worker.refresh_manifest", file=MANIFEST, name=name)
