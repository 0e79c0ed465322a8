"""A sample bundle replayed: complete, proven in the log, signed, and leading to its verdict. No base, no key."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pydantic

from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.envelope import Envelope, read_statement
from pilotbase.certificate.roots import read_trust_roots
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.base import Document
from pilotbase.documents.certificate import Acceptance, Certificate
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.texts import Text, text
from pilotbase.worker.archives import opened_archive
from pilotbase.worker.sample_bundles.files import SUMS, WORLD_ARCHIVE, read_folder, unpack
from pilotbase.worker.trials.replaying import ReplayedVerdict, replay_lines, replay_trial
from pilotbase.workspace.checks.proofs import LogExcerpt, entries_naming, take_excerpt
from pilotbase.workspace.log.entries import HEAD, STORED, LogEntry
from pilotbase.workspace.log.notes import LogVerifier
from pilotbase.workspace.store import Store

Model = TypeVar("Model", bound=Document)


class BundleReplay(ReplayedVerdict):
    """A replay of a bundle, with everything else that was verified."""

    logged: tuple[str, ...]
    """What the log was shown to have recorded: plan, answers, order, report, certificate, acceptance."""
    log_key: str
    log_size: int
    signed: bool
    """Whether it contains a certificate over this report, signed under the trust roots."""
    taken_on_trust: tuple[str, ...]
    """What was taken from the bundle itself: ``trust_roots``, ``log_key``. It proves only that everything agrees."""


def is_bundle(path: Path) -> bool:
    """Return whether ``path`` is a bundle, packed or unpacked, and not the folder of a trial or its report."""
    if path.is_dir():
        return any((path / name).is_file() for name in (SUMS, "log-excerpt.json"))
    return path.suffix.lower() == ".zip"


def replay_bundle(path: Path, trust: Path | None = None, log_key: Path | None = None) -> BundleReplay:
    """Return the verdict that follows from a bundle.

    ``trust`` and ``log_key``: the base's public roots and its log's public key; None takes the bundle's own.

    Raises:
        InputError: it cannot be read.
        InvalidProofError: a byte of it was altered; the log did not say so, or not in this order; the certificate does
            not hold; or the records decide something else.
    """
    files = read_folder(path) if path.is_dir() else unpack(path)
    of, excerpt = _read_documents(files), _document(files, "log-excerpt.json", LogExcerpt)
    _require_one_trial(of, excerpt, files)
    verifier = LogVerifier.from_text(
        excerpt.key if log_key is None else read_evidence(log_key).decode("utf-8", "replace")
    )
    require_said(excerpt, of, verifier)
    _require_signature(files, of, trust)
    with _as_folder(path, files) as folder, _world_in(files) as world:
        replay = replay_trial(folder, world)
    return BundleReplay(
        **dict(replay),
        logged=tuple(sorted(excerpt.entries)),
        log_key=str(verifier),
        log_size=verifier.open(excerpt.checkpoint).size,
        signed=of.certificate is not None,
        taken_on_trust=tuple(name for name, given in (("trust_roots", trust), ("log_key", log_key)) if given is None),
    )


def bundle_lines(replay: BundleReplay) -> list[Text]:
    """Return a bundle's replay in sentences."""
    said = text("bundle.logged", count=len(replay.logged), size=replay.log_size, key=replay.log_key)
    signed = text("bundle.signed") if replay.signed else text("bundle.unsigned")
    own = [text("bundle.own_keys")] if replay.taken_on_trust else []
    return [*replay_lines(replay), said, signed, *own]


def _read_documents(files: Mapping[str, bytes]) -> Proceedings:
    return Proceedings(
        plan=_document(files, "plan.json", TrialPlan),
        report=_document(files, "report.json", Report),
        certificate=_certificate(files),
        acceptance=_document(files, "acceptance.json", Acceptance) if "acceptance.json" in files else None,
    )


def _certificate(files: Mapping[str, bytes]) -> IssuedCertificate | None:
    if "certificate.json" not in files:
        return None
    try:
        envelope = Envelope.model_validate_json(files["certificate.json"])
    except pydantic.ValidationError:
        raise InputError("bundle.unreadable", name="certificate.json") from None
    return IssuedCertificate(certificate=read_statement(envelope.content()), envelope=envelope)


def _document(files: Mapping[str, bytes], name: str, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(files[name])
    except pydantic.ValidationError:
        raise InputError("bundle.unreadable", name=name) from None


def _require_one_trial(of: Proceedings, excerpt: LogExcerpt, files: Mapping[str, bytes]) -> None:
    """Return if the documents speak of one trial; raises `InvalidProofError` naming the one that does not."""
    plan, report = of.plan.digest(), of.report.digest()
    certificate: Certificate | None = of.certificate.certificate if of.certificate else None
    holds = {
        "report.json": of.report.plan == plan and of.report.view == "full",
        "certificate.json": certificate is None or (certificate.plan, certificate.report) == (plan, report),
        "acceptance.json": of.acceptance is None or of.acceptance.report == report,
        "log-checkpoint.txt": files["log-checkpoint.txt"] == excerpt.checkpoint.encode(),
    }
    for name, true in holds.items():
        if not true:
            raise InvalidProofError("bundle.other_trial", name=name)


def _require_signature(files: Mapping[str, bytes], of: Proceedings, trust: Path | None) -> None:
    """Return if the certificate was signed under the roots when it was issued; not whether it is valid today."""
    roots = read_trust_roots(read_evidence(trust) if trust is not None else files["trust-roots.json"])
    if of.certificate is not None:
        issued = of.certificate.certificate.issued_at
        verify_certificate(files["certificate.json"], roots, revocations=None, at=issued)


@contextmanager
def _as_folder(path: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    """Yield a folder that holds ``files``: the bundle's own if unpacked, else one removed when the block ends."""
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="pilotbase-bundle-") as scratch:
        for name, body in files.items():
            (Path(scratch) / name).write_bytes(body)
        yield Path(scratch)


@contextmanager
def _world_in(files: Mapping[str, bytes]) -> Iterator[Path | None]:
    """Yield a folder with the world of a bundle, removed when the block ends; None: its cases are no episodes."""
    if WORLD_ARCHIVE not in files:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pilotbase-world-") as scratch:
        packed, world = Path(scratch, WORLD_ARCHIVE), Path(scratch, "world")
        packed.write_bytes(files[WORLD_ARCHIVE])
        with opened_archive(packed) as archive:
            archive.extract("", world)
        yield world


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
