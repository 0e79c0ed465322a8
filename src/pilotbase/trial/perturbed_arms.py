"""Perturbed arms: the same cases asked again under a perturbation, each arm in a new box that knows of no other.

The order of the arms and the draws of each perturbation are secrets of the hidden set. Every arm has its own chain of
committed answers, kept like the clean arm's: killed at any moment, it continues from there, and an arm that has ended
starts no more boxes. In the same way a secret sample of the cases is asked again alone (`probes.invariance`). A case
that an arm leaves unanswered abstains, which under a perturbation counts as wrong. A rehearsal asks the same arms about
public cases, with nothing secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.criteria import Perturbed
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.limits import EndReason
from pilotbase.evidence import draw_order
from pilotbase.measures.perturbations import perturbation_of
from pilotbase.trial.answering import AnswerLog, complete_answers
from pilotbase.trial.delivering import CaseDelivery, Cut, Features, Ints, SecretDelivery, as_hidden, in_secret_order
from pilotbase.trial.probes.cells import comparable
from pilotbase.trial.probes.invariance import ALONE, PROBE, AskedAgain, cases_to_ask, differing
from pilotbase.trial.probing import ProbeSubject
from pilotbase.trial.running import BoxRun, Hooks, run_candidate, run_on_hidden
from pilotbase.trial.sealed import read_public_sample

_AGAIN = "again"


@dataclass(frozen=True)
class AnsweredArm:
    """The answers of one arm, one per case (abstentions where there is none), and how its run went."""

    under: Perturbed | None
    """None for the clean arm: the cases as they are."""
    values: NDArray[Any]
    rows: Ints
    """The cases that were answered, as they were asked."""
    digest: Digest
    run: BoxRun
    again: tuple[AnsweredArm, ...] = ()
    """Of the clean arm, some of its ``rows`` asked again: one pass, and if an answer differed those of the test."""

    @property
    def count(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class ArmSession:
    """How any arm is asked: in which batches, where its answers are kept, and what their chain begins with."""

    cut: Cut
    folder: Path
    commitment: bytes
    hooks: Hooks
    """``before_first`` is called for each box; ``on_batch`` gets the number of answered cases over all arms."""


@contextmanager
def answer_arms(
    subject: ProbeSubject, frame: pl.DataFrame, arms: Sequence[Perturbed], session: ArmSession
) -> Iterator[tuple[AnsweredArm, ...]]:
    """Yield the answers of the clean arm, then of ``arms`` in their order; they run in a secret order.

    The cases of ``frame`` are hidden ones, unless ``subject`` keeps no results: then they are public, as in a
    rehearsal. No other process answers in this session's folder until the block exits.

    Raises:
        RefusedError: another process is working on this attempt.
        InvalidProofError: files of an earlier process were altered.
    """
    features = subject.sealed.features(frame)
    every: tuple[Perturbed | None, ...] = (None, *arms)
    found: dict[str, AnsweredArm] = {}
    with ExitStack() as open_logs:
        logs = {_name(under): open_logs.enter_context(_open_log(subject, session, _name(under))) for under in every}
        for under in sorted(every, key=lambda arm: subject.secret("arm-order", _name(arm))):
            log, others = logs[_name(under)], sum(log.answered for log in logs.values()) - logs[_name(under)].answered
            hooks = replace(session.hooks, on_batch=_after(others, session.hooks.on_batch))
            given = features if under is None else _perturbed(subject, features, under)
            asked = _delivered(subject, given, _name(under), session.cut)
            run = _run_arm(subject, asked, log, hooks)
            values = complete_answers(asked, log.values(), subject.terms.contract.prediction)
            found[_name(under)] = AnsweredArm(under, values, asked.order[: log.answered], log.digest, run)
        others = sum(log.answered for log in logs.values())
        alone = replace(session, hooks=replace(session.hooks, on_batch=lambda _: session.hooks.on_batch(others)))
        found[""] = _ask_again(subject, features, found[""], alone, open_logs)
        yield tuple(found[_name(under)] for under in every)


def committed_digest(arms: Sequence[AnsweredArm]) -> Digest:
    """Return what commits to the answers of all arms: the clean chain's end, or the hash of every arm's."""
    if len(arms) == 1 and not arms[0].again:
        return arms[0].digest
    return digest_json([[_name(arm.under), *(one.digest for one in (arm, *arm.again))] for arm in arms])


def _ask_again(
    subject: ProbeSubject, features: Features, clean: AnsweredArm, session: ArmSession, open_logs: ExitStack
) -> AnsweredArm:
    """Return the clean arm with a secret sample of its cases asked again, and what the comparison shows.

    A second pass, with the same cases in the same order, follows only where an answer differs, and then a test of one
    of the cases that differ.
    """
    cases, asked = len(clean.values) // session.cut.runs, subject.asked
    wanted = cases_to_ask(asked, cases, subject.spared)
    if not wanted or clean.run.end.reason is not EndReason.FINISHED:
        return clean
    rows = draw_order(cases, subject.secret("again", "sample"))[:wanted]
    again = _Again(subject, features, session, open_logs)
    passes = [again.alone("0", rows)]
    batch = again.comparable(clean.values[rows])
    differs = differing(again.comparable(passes[0].values), batch)
    found = AskedAgain(cases=wanted, differing=int(differs.sum()))
    if found.differing:
        session.hooks.on_more(1, wanted)
        passes.append(again.alone("1", rows))
        kept = differs & ~differing(*(again.comparable(one.values) for one in passes))
        tested, found = _tested(again, clean, rows, np.flatnonzero(kept if kept.any() else differs), found)
        passes += tested
    return replace(clean, again=tuple(passes), run=PROBE.add(clean.run, found))


def _tested(
    again: _Again, clean: AnsweredArm, rows: Ints, places: Ints, found: AskedAgain
) -> tuple[list[AnsweredArm], AskedAgain]:
    """Return the test of one of the cases at ``places`` of ``rows``, the one that is quickest to ask."""
    turns, order = np.argsort(clean.rows, kind="stable")[rows], np.argsort(again.order(rows), kind="stable")
    case = int(min(places, key=lambda place: turns[place] + order[place] * ALONE))
    scale, passes = again.comparable(clean.values[rows]), list[AnsweredArm]()

    def same(arm: AnsweredArm) -> bool:
        passes.append(arm)
        return not differing(again.comparable(arm.values), scale[[case]], scale)[0]

    while found.wants_batch or found.wants_alone:
        if found.wants_batch:
            again.session.hooks.on_more(1, int(turns[case]) + 1)
            here = same(again.in_batch(str(found.batches), int(rows[case])))
            found = found.model_copy(update={"batches": found.batches + 1, "recurred": found.recurred + here})
        else:
            again.session.hooks.on_more(ALONE, int(order[case]) + 1)
            alone = [same(again.alone(f"-one{number}", rows, case)) for number in range(ALONE)]
            found = found.model_copy(update={"alone": sum(alone)})
    return passes, found


@dataclass(frozen=True)
class _Again:
    """How cases of the clean arm are asked again, each time in a box of its own."""

    subject: ProbeSubject
    features: Features
    session: ArmSession
    open_logs: ExitStack

    def comparable(self, values: NDArray[Any]) -> NDArray[Any]:
        return comparable(values, self.subject.terms.contract.prediction)

    def order(self, rows: Ints) -> Ints:
        """Return the place of each turn where ``rows`` are asked one at a time."""
        return self._delivered_alone(rows).order

    def alone(self, name: str, rows: Ints, last: int | None = None) -> AnsweredArm:
        """Return the answers to ``rows``, asked one at a time; with ``last`` only that place's, asked as before."""
        asked = self._delivered_alone(rows)
        turns = len(rows) if last is None else int(np.flatnonzero(asked.order == last)[0]) + 1
        values, log, run = self._asked(name, asked, turns)
        complete = complete_answers(asked, values, self.subject.terms.contract.prediction)
        kept = slice(None) if last is None else slice(last, last + 1)
        return AnsweredArm(None, complete[kept], rows[kept], log.digest, run)

    def _delivered_alone(self, rows: Ints) -> CaseDelivery:
        given = {one: column[rows] for one, column in self.features.items()}
        return _delivered(self.subject, given, _AGAIN, Cut(1))

    def in_batch(self, name: str, row: int) -> AnsweredArm:
        """Return the answer to ``row``, asked as in the trial: after the same batches, in the same batch."""
        asked = _delivered(self.subject, self.features, _name(None), self.session.cut)
        turn = int(np.flatnonzero(asked.order == row)[0])
        values, log, run = self._asked(f"-batch{name}", asked, turn + 1)
        complete = complete_answers(asked, values, self.subject.terms.contract.prediction)
        return AnsweredArm(None, complete[[row]], np.array([row]), log.digest, run)

    def _asked(self, name: str, asked: CaseDelivery, turns: int) -> tuple[NDArray[Any], AnswerLog, BoxRun]:
        """Return the answers of the batches in which the first ``turns`` lie, in the order of delivery."""
        ends = asked.ends[: np.searchsorted(asked.ends, turns) + 1]
        log = self.open_logs.enter_context(_open_log(self.subject, self.session, f"{_AGAIN}{name}"))
        run = _run_arm(self.subject, replace(asked, order=asked.order[: ends[-1]], ends=ends), log, self.session.hooks)
        return log.values(), log, run


def _perturbed(subject: ProbeSubject, features: Features, under: Perturbed) -> Features:
    """Return ``features`` under a perturbation; spread and known categories are those of the public sample."""
    reference = subject.sealed.features(read_public_sample(subject.lab, subject.sealed))
    seed = subject.secret("perturbation", str(under))
    return perturbation_of(under).apply(features, subject.terms.contract.features, seed, reference)


def _delivered(subject: ProbeSubject, given: Features, name: str, cut: Cut) -> CaseDelivery:
    if subject.folder is None:
        return as_hidden(given, cut)
    return in_secret_order(given, cut, subject.secret("delivery", name))


def _run_arm(subject: ProbeSubject, asked: CaseDelivery, log: AnswerLog, hooks: Hooks) -> BoxRun:
    """Let the application answer the remaining cases; an arm of an attempt that has ended is only read."""
    if not isinstance(asked, SecretDelivery):
        return run_candidate(subject.candidate, subject.terms, asked, log, hooks)
    if subject.committed and not log.path.with_name("ended").exists():
        raise InvalidProofError("trial.run_altered", file="ended")
    return run_on_hidden(subject.lab, subject.candidate, subject.terms, asked, log, replace(hooks, keeps_usage=True))


def _after(others: int, tell: Callable[[int], None]) -> Callable[[int], None]:
    return lambda done: tell(others + done)


def _open_log(subject: ProbeSubject, session: ArmSession, name: str) -> AnswerLog:
    folder = session.folder / _file_name(name) if name else session.folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Answers were stored under "run" when cases came in file order: those aren't continued in another order.
    return AnswerLog(folder / "answers", session.commitment, subject.secret("delivered-run", name))


def _name(under: Perturbed | None) -> str:
    return "" if under is None else str(under)


def _file_name(name: str) -> str:
    return f"arm-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
