"""What to do next in a folder, from what lies there: scenarios, kits, applications, and their results."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilotbase.catalogue.applications import MANIFEST as APPLICATION
from pilotbase.catalogue.applications import Submission, read_application
from pilotbase.data.sources.kinds import kind_of
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Verdict
from pilotbase.trial.scenario_folder import MANIFEST, read_scenario
from pilotbase.worker.trials.folder import read_report
from pilotbase.worker.trials.kits import is_kit, read_kit
from pilotbase.workspace.home import home_path

_NO_CASES = (".txt", ".json", ".db")
"""Endings of tables that are more often something else."""
_MOST = 200
"""Places that are looked at."""


@dataclass(frozen=True)
class NextStep:
    """A sentence on where something stands, and the command that brings it on."""

    stands: Text
    command: str


def next_steps(folder: Path) -> tuple[NextStep, ...]:
    """Return what to do with the scenarios and applications in ``folder`` and the folders inside it.

    Raises:
        InputError, InvalidProofError: a kit that is broken, which its owner alone can mend.
    """
    places = [folder, *sorted(one for one in folder.iterdir() if not one.name.startswith("."))[:_MOST]]
    scenarios = [one for one in places if (one / MANIFEST).is_file()]
    scenarios = scenarios or [one for one in places if one.name.endswith(".kit.zip") and is_kit(one)]
    if not scenarios:
        return (_begin(places),)
    reports = [*_reports(places)]
    applications = [one for one in places if (one / APPLICATION).is_file()]
    steps = (step for one in scenarios for step in _of_scenario(_relative(one), applications, reports))
    return tuple({step.command: step for step in steps}.values())


def _begin(places: Iterable[Path]) -> NextStep:
    table = next((one for one in places if one.is_file() and _is_table(one)), None)
    if table is None:
        return NextStep(text("next.here.nothing"), "pilotbase scenario new --from cases.csv --out my-scenario")
    command = _command("scenario new --from", _relative(table), "--out", f"{table.name.partition('.')[0]}-scenario")
    return NextStep(text("next.here.table", file=table.name), command)


def _is_table(file: Path) -> bool:
    return file.suffix.lower() not in _NO_CASES and kind_of(file.name) is not None


def _reports(places: Iterable[Path]) -> Iterator[tuple[Path, Report]]:
    """Yield the reports of rehearsals and trials with their folders."""
    found = [one for place in places for one in (place, place / "rehearsal") if (one / "report.json").is_file()]
    for place in found:
        try:
            yield _relative(place), read_report(place)
        except InputError:
            continue  # somebody else's report.json


def _kept(scenario: str, applications: Iterable[Submission]) -> Iterator[Path]:
    """Yield where the home keeps what was given no folder: rehearsals of these versions, trials on the scenario."""
    home = home_path()
    yield from (home / "rehearsals" / hex_of(one.digest) / scenario for one in applications)
    yield from (home / "trials" / scenario).glob("*/*")


def _of_scenario(path: Path, places: Sequence[Path], reports: Sequence[tuple[Path, Report]]) -> Iterator[NextStep]:
    scenario = read_kit(path).scenario if path.is_file() else None
    if scenario is None:
        try:
            reading = read_scenario(path, Step.FREEZE)[0]
        except InputError as error:
            yield NextStep(error.text, _command("scenario check", path))
            return
        if reading.issues or reading.document is None:
            stands = text("next.here.problems", path=path, count=len(reading.issues))
            yield NextStep(stands, _command("scenario check", path))
            return
        scenario = reading.document
    own = [one for one in map(_read, places) if one is not None and one.application.scenario in (None, scenario.name)]
    reports = sorted([*reports, *_reports(_kept(scenario.name, own))], key=_age)
    if not own:
        tried = next((one for one in reports if one[1].evidence and _is_on(one[1], scenario)), None)
        yield from _alone(path, scenario) if tried is None else [_tried(path, *tried)]
    for one in own:
        yield _of_application(path, scenario, one, [found for found in reports if _is_of(found[1], scenario, one)])


def _alone(path: Path, scenario: Scenario) -> Iterator[NextStep]:
    """Yield what follows on a scenario or a kit that no application has answered."""
    if path.is_dir() and scenario.world is None:
        yield NextStep(text("next.here.unchecked", path=path), _command("scenario check", path))
    yield NextStep(text("next.here.alone", path=path), _command("application new", path, "--out", "my-application"))


def _age(found: tuple[Path, Report]) -> float:
    return -(found[0] / "report.json").stat().st_mtime


def _tried(path: Path, place: Path, report: Report) -> NextStep:
    """Return what follows on the verdict of a trial."""
    stands = text(f"next.here.{report.verdict}", application=report.application.name, report=place / "report.html")
    if report.verdict is Verdict.INCONCLUSIVE:
        return NextStep(stands, _command("trial plan-size", path))
    return NextStep(stands, _command("certificate verify" if report.verdict is Verdict.ACCEPT else "trial show", place))


def _read(place: Path) -> Submission | None:
    try:
        return read_application(place)
    except InputError:
        return None


def _is_of(report: Report, scenario: Scenario, submission: Submission) -> bool:
    """Return whether a report is of exactly this version of the application; a rehearsal names no scenario."""
    return (report.scenario is None or _is_on(report, scenario)) and report.application.digest == submission.digest


def _is_on(report: Report, scenario: Scenario) -> bool:
    return report.scenario is not None and report.scenario.name == scenario.name


def _of_application(
    path: Path, scenario: Scenario, submission: Submission, reports: Sequence[tuple[Path, Report]]
) -> NextStep:
    application, folder = submission.application.name, _relative(submission.folder)
    tried = next((found for found in reports if found[1].evidence), None)
    if tried is not None:
        return _tried(path, *tried)
    rehearsed = next(iter(reports), None)
    if rehearsed is None:
        stands = text("next.here.unrehearsed", application=application)
        return NextStep(stands, _command("trial rehearse", path, folder))
    place, report = rehearsed
    if report.isolation.end is not EndReason.FINISHED:
        stands = text("next.here.failed", application=application, log=place / "application.log")
        return NextStep(stands, _command("trial rehearse", path, folder))
    if path.is_file():
        stands = text("next.here.hand_in", application=application, owner=scenario.owner.organisation)
        return NextStep(stands, _command("application save", folder))
    stands = text("next.here.rehearsed", application=application, report=place / "report.html")
    return NextStep(stands, _command("trial run", path, folder, "--out", f"{application}-result"))


def _command(name: str, *words: object) -> str:
    return shlex.join(["pilotbase", *name.split(), *map(str, words)])


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path
