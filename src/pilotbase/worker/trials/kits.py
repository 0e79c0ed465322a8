"""A scenario as a path names it: the owner's folder, sealed, or a kit, from which suppliers rehearse anywhere.

A kit is one file without a hidden case. It holds the scenario, the recorded messages, and the columns of the public
sample that features, answer, baseline and criteria read; or the practice episodes and the practice copy of their world.
What names a case, and what else is withheld, stays with the owner.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Literal

import polars as pl

from pilotbase.certificate.bounded_json import MAXIMUM_BYTES, parse_model
from pilotbase.data.conform import conformed_types
from pilotbase.data.rules import compile_rule
from pilotbase.documents.base import Document, Step, localized
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest, digest_bytes
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.scenario import ApplicationBaseline, ColumnBaseline, RuleBaseline, Scenario
from pilotbase.documents.scenario_data import TimeSplit
from pilotbase.documents.texts import LANGUAGES, make_visible, text
from pilotbase.measures.rules import given_columns
from pilotbase.trial.arena.kept_worlds import KeptWorld, keep_world, practice_copy, read_world
from pilotbase.trial.arena.shelf import shelf_of
from pilotbase.trial.baselines import keep_reference_application
from pilotbase.trial.entering import is_open
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.scenario_folder import load_scenario, naming_places
from pilotbase.trial.scoring import rules_of
from pilotbase.trial.sealed import OpenedScenario, SealedRecord, SealedScenario, read_public_sample, read_recorded
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.archives import MOST_BYTES, ArchiveEntry, PackArchive, opened_archive, write_archive
from pilotbase.worker.base import Base

PAPER, SAMPLE, WORLD = "kit.json", "sample.parquet", "world/"
MOST_FETCHED = 64 << 20
"""Bytes of a kit at an address, as a hub gives it out and a machine takes it."""


class ScenarioKit(Document):
    """What a kit states of a scenario, and the digests of its other files."""

    document: Literal["scenario-kit/1"] = "scenario-kit/1"
    scenario: Scenario
    public_sample: Digest
    public_cases: int
    classes: tuple[str, ...]
    may_miss: tuple[str, ...] = ()
    exchanges: tuple[SealedRecord, ...] | None = None
    world: Digest | None = None
    """The practice copy of the world in which its episodes are played."""

    @property
    def contract(self) -> Contract:
        return self.scenario.contract(self.classes)


def seal_in(base: Base, scenario_path: Path, step: Step, on_progress: OnProgress) -> OpenedScenario:
    """Return the scenario of a folder with its data sealed and its reference application kept; or that of a kit.

    Raises:
        RefusedError: a kit, for more than a rehearsal: only the base that has the hidden cases can prove.
    """
    if is_kit(scenario_path):
        if step is not Step.REHEARSE:
            raise RefusedError("worker.kit_proves_nothing", file=scenario_path)
        return open_kit(base.lab, scenario_path)
    scenario, folder = load_scenario(scenario_path, step)
    on_progress(Progress(text("trial.progress.seal", scenario=scenario.name)))
    with naming_places(scenario_path):
        reference = keep_reference_application(base.lab, scenario, folder)
        return seal_scenario(base.lab, scenario, folder, reference)


def is_kit(path: Path) -> bool:
    """Return whether ``path`` is a kit, or would be one: a zip, where a scenario's folder or manifest may stand."""
    return path.is_file() and zipfile.is_zipfile(path)


def write_kit(lab: TrialRuntime, sealed: OpenedScenario, file: Path) -> None:
    """Write the kit of a sealed scenario to ``file``, whole or not at all.

    Raises:
        RefusedError: as `require_packable` and `practice_copy`.
    """
    scenario, record = sealed.scenario, sealed.record
    require_packable(lab, scenario)
    sample, recorded = io.BytesIO(), read_recorded(lab, sealed)
    frame = read_public_sample(lab, sealed)
    frame.select(name for name in frame.columns if name in columns_read(scenario)).write_parquet(sample)
    kit = ScenarioKit(
        scenario=_without_dataset(scenario),
        public_sample=digest_bytes(sample.getvalue()),
        public_cases=frame.height,
        classes=record.classes,
        may_miss=record.may_miss,
        exchanges=record.exchanges and tuple(_digested(one, recorded[one.exchange]) for one in record.exchanges),
    )
    members = [ArchiveEntry(SAMPLE, sample.getvalue())]
    members += [ArchiveEntry(f"recorded/{name}", content) for name, content in recorded.items()]
    with tempfile.TemporaryDirectory() as scratch:
        if scenario.world is not None:
            world = practice_copy(shelf_of(lab).kept(record.source), Path(scratch))
            kit = kit.model_copy(update={"world": world.digest})
            members += [ArchiveEntry(WORLD + one.path, world.folder / one.path) for one in world.tree.files]
        members += [ArchiveEntry(PAPER, kit.canonical()), ArchiveEntry("README.md", _readme(kit, file).encode())]
        write_archive(file, members)


def require_packable(lab: TrialRuntime, scenario: Scenario) -> None:
    """Return if a scenario may be packed at all.

    Raises:
        RefusedError: its cases belong to a dataset that isn't open, or its baseline is an application.
    """
    dataset = scenario.data.dataset
    if dataset is not None and not is_open(lab.view, dataset):
        raise RefusedError("worker.kit_of_terms", dataset=dataset)
    if isinstance(scenario.baseline, ApplicationBaseline):
        raise RefusedError("worker.kit_with_application", scenario=scenario.name)


def _without_dataset(scenario: Scenario) -> Scenario:
    """Return the scenario as a kit states it: its cases come with it."""
    if scenario.data.dataset is None:
        return scenario
    return scenario.model_copy(update={"data": scenario.data.model_copy(update={"dataset": None})})


def columns_read(scenario: Scenario) -> frozenset[str]:
    """Return the columns of the cases that a rehearsal reads: features, answer, and what baseline and criteria name."""
    if scenario.world is not None:
        return frozenset(field.name for field in scenario.data.fields)
    named = {scenario.data.target, *(field.name for field in scenario.feature_fields)}
    named |= {criterion.unit for criterion in scenario.criteria if criterion.unit != "case"}
    for rule in rules_of(scenario.criteria):
        named |= {rule.by or "", *given_columns(rule)}
    for answers in (scenario.baseline, scenario.people):
        if isinstance(answers, ColumnBaseline):
            named.add(answers.column)
    if isinstance(scenario.baseline, RuleBaseline):
        named |= compile_rule(scenario.baseline.rule, conformed_types(scenario)).columns
    if isinstance(scenario.data.split, TimeSplit):
        named.add(scenario.data.split.column)
    return frozenset(named)


def open_kit(lab: TrialRuntime, file: Path) -> OpenedScenario:
    """Return the scenario of a kit, its sample, recorded messages and world kept here; it has no hidden cases.

    Its record is named by the kit, not by the scenario: no trial counts a rehearsal on cases that others packed.

    Raises:
        InputError: it is no kit, or too large.
        InvalidProofError: its files aren't those that it lists.
    """
    with _reading(file) as (kit, archive):
        lab.vault.blobs.keep(_member(archive, file, SAMPLE, kit.public_sample))
        for one in kit.exchanges or ():
            lab.vault.blobs.keep(_member(archive, file, f"recorded/{one.exchange}", one.file))
        if kit.world is not None:
            with tempfile.TemporaryDirectory() as scratch:
                keep_world(_unpacked_world(kit, archive, file, Path(scratch)), shelf_of(lab).store)
    record = SealedScenario(
        scenario=kit.digest(),
        source=kit.world or kit.digest(),
        public_sample=kit.public_sample,
        public_cases=kit.public_cases,
        hidden_set=kit.digest(),
        hidden_cases=0,
        classes=kit.classes,
        may_miss=kit.may_miss,
        exchanges=kit.exchanges,
    )
    return OpenedScenario(kit.scenario, record)


def read_kit(file: Path) -> ScenarioKit:
    """Return what a kit states; raises `InputError` or `InvalidProofError` where it is none."""
    with _reading(file) as (kit, _):
        return kit


def cases_of_kit(file: Path) -> pl.DataFrame:
    """Return the public cases of a kit; raises as `open_kit`."""
    with _reading(file) as (kit, archive):
        return pl.read_parquet(io.BytesIO(_member(archive, file, SAMPLE, kit.public_sample)))


def unpack_world(file: Path, folder: Path) -> KeptWorld:
    """Return the world of a kit, written to ``folder``, which is new or empty; raises as `open_kit`."""
    with _reading(file) as (kit, archive):
        return _unpacked_world(kit, archive, file, folder)


@contextmanager
def _reading(file: Path) -> Iterator[tuple[ScenarioKit, PackArchive]]:
    try:
        with opened_archive(file) as archive:
            yield parse_model(ScenarioKit, archive.read(PAPER, MAXIMUM_BYTES), text("worker.kit")), archive
    except InputError as error:
        if error.code not in ("site.no_pack", "site.member_missing"):
            raise
        raise InputError("worker.no_kit", file=file) from None


def _member(archive: PackArchive, file: Path, name: str, digest: Digest) -> bytes:
    content = archive.read(name, MOST_BYTES)
    if digest_bytes(content) != digest:
        raise InvalidProofError("worker.kit_differs", name=name, file=file)
    return content


def _unpacked_world(kit: ScenarioKit, archive: PackArchive, file: Path, folder: Path) -> KeptWorld:
    archive.extract(WORLD, folder)
    found = read_world(folder)
    if found.digest != kit.world:
        raise InvalidProofError("worker.kit_differs", name=WORLD, file=file)
    return found


def _digested(record: SealedRecord, content: bytes) -> SealedRecord:
    """Return the entry with the digest of the plain messages: where they are sealed, it was of the sealed ones."""
    return record.model_copy(update={"file": digest_bytes(content)})


def _readme(kit: ScenarioKit, file: Path) -> str:
    template = resources.files("pilotbase.catalogue").joinpath("starters", "kit.txt").read_text("utf-8")
    rules = "\n".join(f"* `{criterion.rule}`" for criterion in kit.scenario.criteria)
    said = {
        f"{part}_{language}": make_visible(localized(words, language))
        for part, words in (("title", kit.scenario.title), ("problem", kit.scenario.problem))
        for language in LANGUAGES
    }
    counts = {"cases": kit.public_cases, "attempts": kit.scenario.trial.attempts}
    return template.format(kit=file.name, name=kit.scenario.name, rules=rules, **counts, **said)
