"""A probe: an additional check of an application, on cases of the public sample instead of hidden cases.

A probe declares what requests it, when it runs, what it keeps, what it adds to a run, and which sections of a report
it writes. Trials, rehearsals and replays run all of `probes` without naming any. Probes do not see each other, so their
order does not affect their results.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.base import Part
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.report import Finding
from pilotbase.documents.scenario import TrialTerms
from pilotbase.documents.vocabularies import Verification
from pilotbase.measures.resources import RunMeasurements as Measured
from pilotbase.trial.answering import AnswerLog, complete_answers
from pilotbase.trial.delivering import PUBLIC_SEED, Features, in_file_order
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.performance import Load
from pilotbase.trial.running import BoxRun, BoxTerms, PreparedApplication, read_marked, run_candidate, write_marked
from pilotbase.trial.sealed import OpenedScenario

Found = TypeVar("Found", bound=Part)
Findings = Mapping[Verification, Sequence[Finding]]


@dataclass(frozen=True)
class ProbeSubject:
    """The application to probe, its terms, and the requested probes: the same in a trial and in a rehearsal."""

    lab: TrialRuntime
    sealed: OpenedScenario
    candidate: PreparedApplication
    terms: BoxTerms
    asked: TrialPlan | TrialTerms
    """What requests the probes: the plan, or in a rehearsal the scenario's terms."""
    sample: Callable[[], pl.DataFrame]
    """Returns the cases of the public sample, which are not secret; reads them once."""
    on_progress: OnProgress
    secret: Callable[[str, str], bytes] = lambda *_: PUBLIC_SEED
    """Returns a secret by its label and name; a rehearsal has no secrets."""
    seed: bytes = PUBLIC_SEED
    """A public seed for random draws."""
    folder: Path | None = None
    """Folder of the kept results; None in a rehearsal, which keeps none."""
    committed: bool = False
    """The answers to hidden cases are committed: results of probes that run before are only read."""

    @cached_property
    def features(self) -> Features:
        """Return the input of the box for the cases of the public sample."""
        return self.sealed.features(self.sample())

    @property
    def spared(self) -> bool:
        """Return whether cases are asked again only if that is stated."""
        return self.candidate.endpoint is not None or self.terms.contract.world is not None

    def boxed(self, run: BoxRun | None) -> bool:
        """Return whether the application runs in our box and has not broken off, so that it can be asked again."""
        return self.candidate.endpoint is None and (run is None or run.end.reason is EndReason.FINISHED)


class Probe(ABC, Generic[Found]):
    """One probe, defined as ``PROBE`` in its file in `probes`."""

    name: str
    """Name of its file in the attempt's folder, and of the key to that file."""
    found: type[Found]
    sections: frozenset[Verification]
    """The only sections of a report that it can write into."""
    when: Literal["before", "after"] = "after"
    """``before``: a failure gives the attempt back, since no hidden case has left; ``after``: all answers are fixed."""
    kept: bool = True
    """It runs once per attempt, and a restarted scorer reads its result. Otherwise it runs again."""
    rehearsed: bool = True
    conforms: bool = False
    """A supplier can try it alone, before a rehearsal."""

    @abstractmethod
    def look(self, subject: ProbeSubject, run: BoxRun | None) -> Found | None:
        """Return the result for an application; None if the probe wasn't requested, or can't run.

        ``run``: how the application answered, if it already has.
        """

    def add(self, run: BoxRun, found: Found) -> BoxRun:
        """Return ``run`` with the result."""
        return run.measured(probes={**(run.load.probes or {}), self.name: found.to_json_value()})

    def of(self, load: Load) -> Found | None:
        """Return the result that is kept with a run."""
        there = (load.probes or {}).get(self.name)
        return None if there is None else self.found.model_validate(there)

    def measured(self, found: Found, seen: Measured) -> Measured:
        """Return what measures read of a run, with the figures of this result."""
        return seen

    def told(self, found: Found) -> Mapping[str, Any]:
        """Return the fields of a report that hold the figures, in addition to ``probes``."""
        return {}

    def rejects(self, found: Found) -> bool:
        """Return whether the result rejects the application, whatever its score."""
        return False

    def findings(self, found: Found) -> Findings:
        """Return the findings of a result by section of the report."""
        return {}

    def unasked(self) -> Findings:
        """Return the findings for a probe without a result."""
        return {}


def look(probe: Probe[Found], subject: ProbeSubject, run: BoxRun | None) -> Found | None:
    """Return the result of a probe, which runs once per attempt; raises `InvalidProofError` for an altered file."""
    if subject.folder is None or not probe.kept:
        return probe.look(subject, run)
    file, key = subject.folder / probe.name, subject.secret("run", probe.name)
    known = read_marked(probe.found, file, key)
    if known is not None or (subject.committed and probe.when == "before"):
        return known
    found = probe.look(subject, run)
    if found is not None:
        subject.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_marked(found, file, key)
    return found


def answers_in(
    candidate: PreparedApplication, terms: BoxTerms, features: Features, scratch: Path
) -> tuple[EndReason, NDArray[Any]]:
    """Return how a run over public cases ended, and one answer per case."""
    asked = in_file_order(features, terms.batch_rows)
    with tempfile.TemporaryDirectory(dir=scratch) as folder, AnswerLog(Path(folder) / "answers", b"cell") as log:
        run = run_candidate(candidate, terms, asked, log)
        return run.end.reason, complete_answers(asked, log.values(), terms.contract.prediction)
