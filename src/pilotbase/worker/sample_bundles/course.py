"""What the log must have recorded of a trial, and in which order, for its bundle to prove anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pydantic

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.workspace.checks.proofs import LogExcerpt, entries_naming, take_excerpt
from pilotbase.workspace.log.entries import HEAD, STORED, LogEntry
from pilotbase.workspace.log.notes import LogVerifier
from pilotbase.workspace.store import Store

IN_ORDER = ("plan", "answers", "order", "report")
"""The plan is frozen, then all answers are committed to, then the scoring order is opened, then the report made."""


@dataclass(frozen=True)
class Logged:
    """A line that the log must hold in addition to those of every trial."""

    name: str
    action: str
    fact: str
    value: str


@dataclass(frozen=True)
class Proceedings:
    """The documents of one trial."""

    plan: TrialPlan
    report: Report
    certificate: IssuedCertificate | None = None
    acceptance: Acceptance | None = None
    beside: tuple[Logged, ...] = ()

    @property
    def reported(self) -> Digest:
        """Return the digest of the full report, which the log names; for a site trial, of the one that stayed there."""
        stayed = self.report.full_report if self.report.view == "site" else None
        return stayed or self.report.digest()


def excerpt_of(store: Store, of: Proceedings) -> LogExcerpt:
    """Return the log's entries on a trial; raises `InvalidProofError` if any is missing."""
    named = [one.digest() for one in (of.plan, of.certificate, of.acceptance) if one is not None]
    found = list(entries_naming(store, *named, of.reported, *(line.fact for line in of.beside)))
    wanted = _wanted(of)
    first = {name: next(filter(says, found), None) for name, says in wanted.items()}
    numbers = {name: entry.number for name, entry in first.items() if entry is not None}
    _require_all(numbers, wanted)
    return take_excerpt(store, numbers)


def require_said(
    excerpt: LogExcerpt, of: Proceedings, verifier: LogVerifier, order: Sequence[str] = IN_ORDER
) -> dict[str, LogEntry]:
    """Return the entries of an excerpt by name, once it proves that the log agrees with a trial's documents.

    Raises:
        InvalidProofError: an entry is malformed, not proven, is missing, disagrees, or came too early.
    """
    entries, wanted = _opened(excerpt, verifier), _wanted(of)
    _require_all({name: entry.number for name, entry in entries.items()}, wanted)
    for name, says in wanted.items():
        if not says(entries[name]):
            raise InvalidProofError("bundle.log_differs", name=name, number=entries[name].number)
    numbers = [entries[name].number for name in order]
    if numbers != sorted(numbers):
        raise InvalidProofError("bundle.log_order")
    return entries


def _opened(excerpt: LogExcerpt, verifier: LogVerifier) -> dict[str, LogEntry]:
    try:
        return excerpt.opened(verifier)
    except pydantic.ValidationError:
        numbers = [one.number for one in excerpt.entries.values()]
        raise InvalidProofError("log.entry_altered", first=min(numbers), last=max(numbers)) from None


def _wanted(of: Proceedings) -> Mapping[str, Callable[[LogEntry], bool]]:
    """Return name → whether an entry is the required one."""
    plan, report = of.plan.digest(), of.reported
    answers = of.report.records.answers if of.report.records else ""
    wanted: dict[str, Callable[[LogEntry], bool]] = {
        "plan": _stating("trial.plan_frozen", f"{STORED}{plan}", "trial-plan"),
        "answers": lambda one: _stating("vault.attempt_committed", "answers", answers)(one) and plan in one.subjects,
        "order": lambda one: one.action == "vault.order_revealed" and plan in one.subjects,
        "report": _stating("trial.reported", f"{HEAD}report:{plan}", report),
    }
    if of.certificate is not None:
        wanted["certificate"] = _stating("certificate.issued", f"{HEAD}certificate:{report}", of.certificate.digest())
    if of.acceptance is not None:
        stored = f"{STORED}{of.acceptance.digest()}"
        wanted["acceptance"] = lambda one: one.facts.get(stored) == "acceptance"
    return wanted | {line.name: _stating(line.action, line.fact, line.value) for line in of.beside}


def _stating(action: str, fact: str, value: str) -> Callable[[LogEntry], bool]:
    return lambda entry: entry.action == action and entry.facts.get(fact) == value


def _require_all(numbers: Mapping[str, int], wanted: Mapping[str, object]) -> None:
    for name in wanted:
        if name not in numbers:
            raise InvalidProofError("bundle.log_silent", name=name)
