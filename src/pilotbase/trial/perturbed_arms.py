"""Perturbed arms: the same cases asked again under a perturbation, each arm in a new box that knows of no other.

The order of the arms and the draws of each perturbation are secrets of the hidden set. Every arm has its own chain of
committed answers, kept like the clean arm's: killed at any moment, it continues from there, and an arm that has ended
starts no more boxes. A case that an arm leaves unanswered abstains, which under a perturbation counts as wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.criteria import Perturbed
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.scenario import Criterion
from pilotbase.measures.perturbations import perturbation_of
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.trial.answering import AnswerLog, complete_answers
from pilotbase.trial.delivering import PUBLIC_SEED, Cut, Features, Ints, SecretDelivery, as_hidden, in_secret_order
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.running import (
    BoxRun,
    BoxTerms,
    EndedRun,
    Hooks,
    PreparedApplication,
    UsageFile,
    read_marked,
    run_candidate,
    run_on_hidden,
    write_marked,
)
from pilotbase.trial.sealed import OpenedScenario, read_public_sample


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

    @property
    def count(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class AttemptSession:
    """One attempt on its cases, for any arm: who answers, on which terms, where answers are kept, and with which key.

    ``secret(label, name)`` returns the secrets of this attempt; ``committed`` is true if its answers are already fixed.
    """

    candidate: PreparedApplication
    terms: BoxTerms
    cut: Cut
    folder: Path
    commitment: bytes
    secret: Callable[[str, str], bytes]
    committed: bool
    spend: Callable[[], None]
    """Called before the first batch that each box is asked for."""
    on_batch: Callable[[int], None]
    """Called with the number of answered cases over all arms."""
    on_usage: Callable[[BoxUsage], None]
    """Called with the current box's use so far, before `on_batch`."""


def perturbations_of(criteria: Sequence[Criterion]) -> tuple[Perturbed, ...]:
    """Return the perturbations in the criteria, each once, in order."""
    found = [rule.under for rule in (criterion.parsed() for criterion in criteria) if rule.under is not None]
    return tuple({str(under): under for under in found}.values())


def perturb(lab: TrialRuntime, sealed: OpenedScenario, features: Features, under: Perturbed, seed: bytes) -> Features:
    """Return ``features`` under a perturbation; spread and known categories are those of the public sample."""
    reference = sealed.features(read_public_sample(lab, sealed))
    return perturbation_of(under).apply(features, sealed.contract.features, seed, reference)


@contextmanager
def answer_arms(
    lab: TrialRuntime, sealed: OpenedScenario, frame: pl.DataFrame, arms: Sequence[Perturbed], session: AttemptSession
) -> Iterator[tuple[AnsweredArm, ...]]:
    """Yield the answers of the clean arm, then of ``arms`` in their order; they run in a secret order.

    No other process answers this attempt until the block exits.

    Raises:
        RefusedError: another process is working on this attempt.
        InvalidProofError: files of an earlier process were altered.
    """
    features = sealed.features(frame)
    every: tuple[Perturbed | None, ...] = (None, *arms)
    found: dict[str, AnsweredArm] = {}
    with ExitStack() as open_logs:
        logs = {_name(under): open_logs.enter_context(_open_log(session, under)) for under in every}
        for under in sorted(every, key=lambda arm: session.secret("arm-order", _name(arm))):
            given = (
                features
                if under is None
                else perturb(lab, sealed, features, under, session.secret("perturbation", str(under)))
            )
            asked = in_secret_order(given, session.cut, session.secret("delivery", _name(under)))
            log, others = logs[_name(under)], sum(log.answered for log in logs.values()) - logs[_name(under)].answered
            run = _run_arm(lab, asked, log, under, replace(session, on_batch=_after(others, session.on_batch)))
            values = complete_answers(asked, log.values(), sealed.contract.prediction)
            found[_name(under)] = AnsweredArm(under, values, asked.order[: log.answered], log.digest, run)
        yield tuple(found[_name(under)] for under in every)


def committed_digest(arms: Sequence[AnsweredArm]) -> Digest:
    """Return what commits to the answers of all arms: the clean chain's end, or the hash of every arm's."""
    if len(arms) == 1:
        return arms[0].digest
    return digest_json([[_name(arm.under), arm.digest] for arm in arms])


def rehearse_arm(
    lab: TrialRuntime,
    sealed: OpenedScenario,
    given: tuple[Features, Cut],
    under: Perturbed,
    folder: Path,
    who: tuple[PreparedApplication, BoxTerms],
) -> AnsweredArm:
    """Return what an application answers to the public sample under a perturbation, its log included."""
    candidate, terms = who
    features, cut = given
    asked = as_hidden(perturb(lab, sealed, features, under, PUBLIC_SEED), cut)
    with AnswerLog(folder / _file_name(under), str(under).encode()) as log:
        run = run_candidate(candidate, terms, asked, log)
        values = complete_answers(asked, log.values(), terms.contract.prediction)
        return AnsweredArm(under, values, asked.order[: log.answered], log.digest, run)


def _run_arm(
    lab: TrialRuntime, asked: SecretDelivery, log: AnswerLog, under: Perturbed | None, session: AttemptSession
) -> BoxRun:
    """Let the application answer the remaining cases; an arm that has ended is only read."""
    folder, key = _folder(session, under), _key(session, under)
    ended = read_marked(EndedRun, folder / "ended", key)
    if ended is None and session.committed:
        raise InvalidProofError("trial.run_altered", file="ended")
    if ended is None:
        usage = UsageFile(folder / "usage", key)

        def on_usage(so_far: BoxUsage) -> None:
            usage.update(so_far)
            session.on_usage(so_far)

        hooks = Hooks(before_first=session.spend, on_batch=session.on_batch, on_usage=on_usage)
        run = run_on_hidden(lab, session.candidate, session.terms, asked, log, hooks)
        ended = EndedRun.of(run, usage.total)
        log.sync()
        write_marked(ended, folder / "ended", key)
    return ended.restored(log.seconds(), log.answered)


def _after(others: int, tell: Callable[[int], None]) -> Callable[[int], None]:
    return lambda done: tell(others + done)


def _open_log(session: AttemptSession, under: Perturbed | None) -> AnswerLog:
    folder = _folder(session, under)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return AnswerLog(folder / "answers", session.commitment, _key(session, under))


def _folder(session: AttemptSession, under: Perturbed | None) -> Path:
    return session.folder if under is None else session.folder / _file_name(under)


def _key(session: AttemptSession, under: Perturbed | None) -> bytes:
    # Answers were stored under "run" when cases came in file order: those aren't continued in another order.
    return session.secret("delivered-run", _name(under))


def _name(under: Perturbed | None) -> str:
    return "" if under is None else str(under)


def _file_name(under: Perturbed) -> str:
    return f"arm-{hashlib.sha256(str(under).encode()).hexdigest()[:16]}"
