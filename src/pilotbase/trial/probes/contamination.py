"""A language model behind an endpoint asked to go on with beginnings: not by its supplier's prompt, but by ours.

In a trial these are first halves of the public sample, once all hidden cases are answered. A model in a box cannot be
asked in this way, because its own prompt precedes every case.

Contamination 污染: whether a model has met the cases before, looked for in two ways. Neither proves that it has not. By
texts: long runs of letters that cases share with texts which the supplier says to have trained on. By behaviour: the
model is given the first half of a case and asked to go on; a long run of the second half, word for word, is not said by
chance. Standing phrases are, so cases of the same kind that the model cannot have met (written since, or rewritten)
serve as a control: Fisher's exact test says how often chance alone would set both so far apart.

A model that has learned the answers without the words, or was taught not to recite, is not found out. Source of the
behavioural check: Carlini et al., "Extracting training data from large language models", USENIX Security 2021; of long
runs as a sign of contamination: Brown et al., "Language models are few-shot learners", NeurIPS 2020, appendix C.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.data.sources.opening import read_table
from pilotbase.documents.application import Application
from pilotbase.documents.base import Part
from pilotbase.documents.endpoint import PROMPTED, Endpoint, Prompt, Sampling
from pilotbase.documents.errors import InputError, RefusedError, offer
from pilotbase.documents.limits import EndReason
from pilotbase.documents.probes import Contamination
from pilotbase.documents.report import Finding
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Outcome, Verification
from pilotbase.evidence.distributions import hypergeometric_tail
from pilotbase.measures.minhash import text_shingles
from pilotbase.measures.text_pairs import normal
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.endpoints.calls import CallLog
from pilotbase.sandbox.endpoints.worker import start_asking
from pilotbase.trial.design_findings import unmeasured
from pilotbase.trial.probing import Findings, Probe, ProbeSubject
from pilotbase.trial.running import BoxRun

MOST_CHANCE = 0.05
"""Cases and control differ if chance alone would separate them this far less often."""
_BEGINNING = "beginning"
_ASKED = (
    "Go on with the following text word for word, exactly as you know it, and say nothing else.\n"
    "请按你所知，逐字续写下面的文字，不要说别的。\n\n{beginning}"
)
_MOST_TOKENS = 400
SHARED_LETTERS, SHARED_IDEOGRAPHS = 60, 25
"""A case shares a run of so many letters with a training text by more than chance."""
RECITED_LETTERS, RECITED_IDEOGRAPHS = 40, 15
"""So long a run of the second half is recited."""
_LONGEST = 4000
"""Letters of a text that are compared."""
Hashes = NDArray[np.uint64]
Ask = Callable[[Sequence[str]], Sequence[str | None]]
"""Beginnings to a model's continuations; None where it returns nothing."""


class RecitedCases(Part):
    """The cases of the public sample that were recited."""

    recited: Recited | None = None
    """None: the model could not be asked."""


class Reciting(Probe[RecitedCases]):
    """Whether a model has seen the cases; a verdict never waits for a model that does not answer."""

    name = "contamination"
    found = RecitedCases
    sections = frozenset({Verification.DESIGN})
    rehearsed = False

    def look(self, subject: ProbeSubject, run: BoxRun | None) -> RecitedCases | None:
        """Return how many cases of the public sample are recited."""
        asked, application = subject.asked.contamination, subject.candidate.submission.application
        if asked is None or run is None or run.end.reason is not EndReason.FINISHED:
            return None
        if application.endpoint is None or application.endpoint.protocol not in PROMPTED:
            return RecitedCases()
        cases, control = _texts(subject, asked)
        try:
            return RecitedCases(recited=recited(cases, control, asking_endpoint(application)))
        except RefusedError:
            return RecitedCases()

    def findings(self, found: RecitedCases) -> Findings:
        """Return what was recited, and how the control compares."""
        if found.recited is None:
            return {Verification.DESIGN: [unmeasured("contamination", text("trial.finding.not_recited"))]}
        return {Verification.DESIGN: [_recital(found.recited), _control(found.recited)]}


PROBE = Reciting()


def asking_endpoint(application: Application) -> Ask:
    """Return a worker for the model behind ``application``; its supplier can keep the questions from then on.

    Raises:
        InputError: it is not an endpoint that takes text prompts.
    """
    endpoint, supplier = application.endpoint, application.supplier.organisation
    if endpoint is None or endpoint.protocol not in PROMPTED:
        raise InputError("contamination.no_endpoint_of_words", application=application.name)
    return partial(_answers, _reciting(endpoint), supplier)


class SharedRuns(Part):
    """How many cases share a long run of letters with other texts."""

    cases: int
    too_short: int
    shared: int
    mostly: int
    """Cases that contain at least half of all such runs."""


class Recited(Part):
    """How many cases a model goes on with word for word; of the control likewise, where there is one."""

    cases: int
    too_short: int
    """Cases whose second half is shorter than a run that counts."""
    silent: int
    recited: int
    longest: int
    """Letters of the longest run."""
    control_cases: int | None = None
    control_recited: int | None = None
    chance: float | None = None
    """Probability that chance alone sets both so far apart, were cases and control alike to the model."""


@dataclass(frozen=True)
class Halves:
    """A case in two halves: one is shown to the model, the other it would have to know."""

    head: str
    tail: str

    @classmethod
    def of(cls, case: str) -> Halves:
        middle = len(case) // 2
        return cls(case[:middle], case[middle:])

    @property
    def enough(self) -> bool:
        """Return whether the second half is as long as a run that counts."""
        return len(letters(self.tail)) >= _needed(self.tail, RECITED_LETTERS, RECITED_IDEOGRAPHS)

    def run_in(self, answer: str) -> int:
        """Return how many letters of the second half stand in ``answer`` one after the other."""
        said, known = letters(answer), letters(self.tail)
        return SequenceMatcher(None, said, known, autojunk=False).find_longest_match().size

    def recites(self, run: int) -> bool:
        return run >= _needed(self.tail, RECITED_LETTERS, RECITED_IDEOGRAPHS)


def texts_of(path: Path, column: str) -> list[str]:
    """Return the texts in a column of a table, without empty cells; raises `InputError` if there is no such column."""
    frame = read_table(path)
    if column not in frame.columns:
        problem = text("trial.column_missing", found=column, allowed=offer(column, frame.columns))
        raise InputError.at(path.name, column, problem, 1)
    return [cell for cell in frame[column].cast(pl.String).to_list() if cell]


def shared_runs(cases: Sequence[str], others: Sequence[str]) -> SharedRuns:
    """Return how many of ``cases`` share a long run of letters with any of ``others``."""
    known = {size: _known(others, size) for size in (SHARED_LETTERS, SHARED_IDEOGRAPHS)}
    shared = mostly = too_short = 0
    for case in cases:
        size = _needed(case, SHARED_LETTERS, SHARED_IDEOGRAPHS)
        spelled = letters(case)
        if len(spelled) < size:
            too_short += 1
            continue
        found = np.isin(text_shingles(spelled, size), known[size])
        shared += bool(found.any())
        mostly += float(found.mean()) >= 0.5
    return SharedRuns(cases=len(cases), too_short=too_short, shared=shared, mostly=mostly)


def recited(cases: Sequence[str], control: Sequence[str], ask: Ask) -> Recited:
    """Return how many of ``cases``, and of ``control``, a model that ``ask`` reaches goes on with word for word."""
    ours = _recitals(cases, ask)
    if not control:
        return ours
    theirs = _recitals(control, ask)
    marked, total = ours.recited + theirs.recited, ours.cases + theirs.cases
    # Fisher's exact test, one-sided.
    chance = hypergeometric_tail(ours.recited, ours.cases, total, marked) if total else 1.0
    compared = {"control_cases": theirs.cases, "control_recited": theirs.recited, "chance": chance}
    return ours.model_copy(update=compared)


def letters(words: str) -> str:
    """Return letters and digits alone, in one width and case: blanks and punctuation are no difference."""
    return _whole(words)[:_LONGEST]


def _texts(subject: ProbeSubject, asked: Contamination) -> tuple[list[str], list[str]]:
    sample = subject.sample().head(asked.most)
    columns = [] if asked.control is None else [asked.control]
    cases, *control = (
        [cell for cell in sample[name].cast(pl.String).to_list() if cell] for name in (asked.column, *columns)
    )
    return cases, control[0] if control else []


def _recital(found: Recited) -> Finding:
    names = ("cases", "too_short", "silent", "recited", "longest")
    sentence = text("contamination.recited", **{name: getattr(found, name) for name in names})
    if found.silent == found.cases:
        return unmeasured("contamination", sentence)
    known = Outcome.FAIL if found.chance is not None and found.chance <= MOST_CHANCE else Outcome.INCONCLUSIVE
    return Finding(check="contamination", outcome=known if found.recited else Outcome.PASS, sentence=sentence)


def _control(found: Recited) -> Finding:
    if found.chance is None:
        return unmeasured("contamination_control", text("contamination.no_control"))
    values = {"cases": found.control_cases, "recited": found.control_recited, "chance": f"{found.chance:.2g}"}
    sentence = text("contamination.control", **values)
    return Finding(check="contamination_control", outcome=Outcome.PASS, sentence=sentence)


def _reciting(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with our prompt; a completion model simply continues the text."""
    template = _ASKED if endpoint.protocol == "openai_chat" else f"{{{_BEGINNING}}}"
    prompt = Prompt(template=template, sampling=Sampling(temperature=0, max_tokens=_MOST_TOKENS))
    return endpoint.model_copy(update={"prompt": prompt})


def _answers(endpoint: Endpoint, supplier: str, beginnings: Sequence[str]) -> Sequence[str | None]:
    if not beginnings:
        return []
    batch = FeatureBatch({_BEGINNING: np.array(beginnings, dtype=object)}, len(beginnings))
    try:
        with CallLog(None, b"") as calls, start_asking(endpoint, supplier, (_BEGINNING,), "text", calls) as worker:
            answers: Sequence[str | None] = worker.predict(batch).values.tolist()
    except BoxEnded as ended:
        raise RefusedError("contamination.not_asked", reason=ended.text) from None
    return answers


def _recitals(cases: Sequence[str], ask: Ask) -> Recited:
    halves = [half for half in map(Halves.of, cases) if half.enough]
    answers = ask([half.head for half in halves])
    runs = [0 if answer is None else half.run_in(answer) for half, answer in zip(halves, answers, strict=True)]
    return Recited(
        cases=len(halves),
        too_short=len(cases) - len(halves),
        silent=sum(answer is None for answer in answers),
        recited=sum(half.recites(run) for half, run in zip(halves, runs, strict=True)),
        longest=max(runs, default=0),
    )


def _needed(words: str, in_letters: int, in_ideographs: int) -> int:
    """Return how long a run must be in a text: an ideograph says as much as two or three letters."""
    spelled = letters(words)
    ideographs = sum("\u3400" <= letter <= "\u9fff" for letter in spelled)
    return in_ideographs if 2 * ideographs >= len(spelled) else in_letters


def _known(texts: Sequence[str], size: int) -> Hashes:
    found = [text_shingles(spelled, size) for spelled in map(_whole, texts) if len(spelled) >= size]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.uint64)


def _whole(words: str) -> str:
    return "".join(filter(str.isalnum, normal(words)))
