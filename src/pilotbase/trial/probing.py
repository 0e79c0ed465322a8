"""A probe: what is asked of an application beside the hidden cases, on cases of the public sample.

A probe says itself what it is asked for, when it runs, what of it is kept, what it adds to a run and to which sections
of a report it writes; whoever runs trials, rehearsals and replays goes through the list in `probes` and knows none by
its name. Probes know nothing of each other: the same come out in whatever order they are looked at.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from numpy.typing import NDArray

from pilotbase.documents.base import Part
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.report import Finding
from pilotbase.documents.scenario import TrialTerms
from pilotbase.documents.vocabularies import Verification
from pilotbase.measures.resources import RunMeasurements as Measured
from pilotbase.trial.answering import complete_answers
from pilotbase.trial.answers import AnswerLog
from pilotbase.trial.delivering import PUBLIC_SEED, Features, in_file_order
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.performance import Load
from pilotbase.trial.run_files import read_marked, write_marked
from pilotbase.trial.running import BoxRun, BoxTerms, PreparedApplication, run_candidate
from pilotbase.trial.sealed import OpenedScenario

Found = TypeVar("Found", bound=Part)
Findings = Mapping[Verification, Sequence[Finding]]


@dataclass(frozen=True)
class ProbeSubject:
    """Who is probed, on which terms, and what was asked for: the same in a trial and in a rehearsal."""

    lab: TrialRuntime
    sealed: OpenedScenario
    candidate: PreparedApplication
    terms: BoxTerms
    asked: TrialPlan | TrialTerms
    """What was asked for: in the plan, or in a rehearsal by the scenario."""
    sample: Callable[[], Features]
    """Gives the cases of the public sample, which hide nothing."""
    on_progress: OnProgress
    secret: Callable[[str, str], bytes] = lambda *_: PUBLIC_SEED
    """Gives a secret by its label and name; in a rehearsal nothing is one."""
    seed: bytes = PUBLIC_SEED
    """What is drawn from where anybody may know the draw."""
    folder: Path | None = None
    """Where what was found is kept; None in a rehearsal: it is not."""
    committed: bool = False
    """The answers to hidden cases are fixed: what had to be looked at before is only read."""

    def boxed(self, run: BoxRun | None) -> bool:
        """Tell whether the application runs in a box of ours and did not break off: so it may be asked again."""
        return self.candidate.endpoint is None and (run is None or run.end.reason is EndReason.FINISHED)


class Probe(ABC, Generic[Found]):
    """What one probe is; a file in `probes` each, which names it ``PROBE``."""

    name: str
    """Of its file in the attempt's folder, and of the key to it."""
    found: type[Found]
    sections: frozenset[Verification]
    """The sections of a report that it writes into, and no other."""
    when: Literal["before", "after"] = "after"
    """``before``: a failure gives the attempt back, since no hidden case has left; ``after``: all answers are fixed."""
    kept: bool = True
    """Looked at once an attempt: a scorer that is started again reads what there is. Else it is computed anew."""
    rehearsed: bool = True
    conforms: bool = False
    """A supplier may try it alone, before a rehearsal."""

    @abstractmethod
    def look(self, subject: ProbeSubject, run: BoxRun | None) -> Found | None:
        """Return what is found of an application; None where it was not asked for, or cannot be asked.

        ``run``: how it answered, where it did already.
        """

    def add(self, run: BoxRun, found: Found) -> BoxRun:
        """Return ``run`` with what was found."""
        load = run.load
        return replace(run, load=replace(load, probes={**load.probes, self.name: found.to_json_value()}))

    def of(self, load: Load) -> Found | None:
        """Return what was found, as it stands in what is kept of a run."""
        there = load.probes.get(self.name)
        return None if there is None else self.found.model_validate(there)

    def measured(self, found: Found, seen: Measured) -> Measured:
        """Return what measures read of a run, with what they read of this."""
        return seen

    def told(self, found: Found) -> Mapping[str, Any]:
        """Return the fields of a report in which the figures stand, beside ``probes``."""
        return {}

    def findings(self, found: Found) -> Findings:
        """Return what a report says of it, by its sections."""
        return {}

    def unasked(self) -> Findings:
        """Return what a report says where there is nothing to be said."""
        return {}


def look(probe: Probe[Found], subject: ProbeSubject, run: BoxRun | None) -> Found | None:
    """Return what a probe finds, found once an attempt; raises `InvalidProofError`: what was kept was altered."""
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
    """Return how a run over cases that hide nothing ended, and one answer a case."""
    asked = in_file_order(features, terms.batch_rows)
    with tempfile.TemporaryDirectory(dir=scratch) as folder, AnswerLog(Path(folder) / "answers", b"cell") as log:
        run = run_candidate(candidate, terms, asked, log)
        return run.end.reason, complete_answers(asked, log.values(), terms.contract.prediction)
