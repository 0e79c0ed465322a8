"""Replay: what stands in a trial's folder, held against what its records decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic

from pilotbase.certificate import Envelope
from pilotbase.certificate.statement import read_statement
from pilotbase.documents.base import Part
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.guarantees import is_approximate, verdict_in_words
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Verdict
from pilotbase.trial.records import cases_csv
from pilotbase.trial.replaying import Replayed, replay_decision
from pilotbase.trial.stored_records import StoredRecords, read_records, shown_cases
from pilotbase.worker.trials.folder import RECORDS
from pilotbase.worker.trials.given_files import read_plan
from pilotbase.worker.trials.replayed_fields import (
    CERTIFIED,
    DERIVED_WHOLE,
    derived_certificate,
    derived_report,
    fields_of,
    report_as_said,
    shortened,
)
from pilotbase.worker.trials.summary import figure_of

MAXIMUM_REPORT_BYTES = 16 << 20
MAXIMUM_RECORD_BYTES = 2 << 30
_SHOWN = 10
_WHOLE = tuple(f"{part}{end}" for part in DERIVED_WHOLE for end in (".", "["))


class ReplayedCriterion(Part):
    """One criterion as the records decide it."""

    rule: str
    verdict: str
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    used: int
    total: int
    decided_at: int | None = None
    guarantee: str


class ReplayedVerdict(Part):
    """A verdict derived again, and what it was held against."""

    verdict: Verdict
    digest: Digest
    """Of the decision: the same on every machine."""
    scored: int
    cases: int
    attempt: int
    level: float
    root: Digest
    leaves: int
    criteria: tuple[ReplayedCriterion, ...]
    compared: tuple[str, ...]
    """Fields of the report and files of the folder that say the same."""
    absent: tuple[str, ...]
    """What was not there to be compared."""
    undecided: tuple[str, ...]
    """What the report says that records decide nothing about: the box, the base's own counts, titles and times."""
    certified: bool | None
    """Whether the certificate names this very report, so that its signature covers it; None without a certificate."""

    @property
    def verdict_in_words(self) -> Text:
        """Return the verdict's name, with its rider."""
        return verdict_in_words(self.verdict, is_approximate(item.guarantee for item in self.criteria))


@dataclass(frozen=True)
class _Folder:
    """A trial's folder, as far as a replay reads it; ``report`` is plain JSON, whatever was deleted from it."""

    path: Path
    report: Mapping[str, Any]
    plan: TrialPlan
    records: bytes
    stored: StoredRecords


@dataclass(frozen=True)
class ReplayComparison:
    """What was held against the records; see `ReplayedVerdict`."""

    same: tuple[str, ...]
    absent: tuple[str, ...]
    undecided: tuple[str, ...]
    certified: bool | None


def replay_trial(path: Path) -> ReplayedVerdict:
    """Return the verdict that the records of a trial decide; ``path`` is its folder or its ``report.json``.

    Verdict and scores may have been deleted from the report: what is there is compared.

    Raises:
        RefusedError: a supplier's folder, which holds no records.
        InputError: a file is missing or is not what it should be; a rehearsal.
        InvalidProofError: a record, a batch, the order or the plan is not what was committed to; or report, certificate
            or cases.csv say something else than the records do (all that differs is named).
    """
    folder = _open(path)
    replayed = replay_decision(folder.plan, folder.stored, str(folder.report["records"]["root"]))
    certificate = _read_certificate(folder.path / "certificate.json")
    said, derived = _held_against(folder, replayed, certificate)
    different = [
        text("worker.replay_field", field=field, found=shortened(value), derived=shortened(derived.get(field, "–")))
        for field, value in said.items()
        if value != derived.get(field) and (field in derived or field.startswith(_WHOLE))
    ]
    if different:
        raise InvalidProofError(
            "worker.replay_differs",
            count=len(different),
            verdict=_verdict_of(replayed),
            fields=_join(different[:_SHOWN]),
        )
    csv = _compare_cases(folder)
    compared = [*(field for field in derived if field in said), *(["cases.csv"] if csv else [])]
    absent = [*(field for field in derived if field not in said), *([] if csv else ["cases.csv"])]
    undecided = tuple(field for field in said if field not in derived)
    certified = None if certificate is None else _names_it(certificate, folder.report)
    return _replay(folder, replayed, ReplayComparison(tuple(compared), tuple(absent), undecided, certified))


def _open(path: Path) -> _Folder:
    file = path / "report.json" if path.is_dir() else path
    report = _read_report(file)
    if report.get("view") == "supplier":
        raise RefusedError("worker.replay_supplier", file=file)
    if report.get("evidence") is False:
        raise InputError("worker.replay_rehearsal", file=file)
    plan = read_plan(file.parent / "plan.json")
    records = file.parent / RECORDS
    if not records.exists():
        raise InputError("worker.replay_no_records", file=records)
    if not isinstance(report.get("records"), dict) or "root" not in report["records"]:
        raise InputError("worker.replay_no_root", file=file)
    data = read_bounded(records, MAXIMUM_RECORD_BYTES)
    stored = read_records(data, plan.contract.prediction, plan.batch_rows, str(records))
    return _Folder(file.parent, report, plan, data, stored)


def _read_report(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_bounded(file, MAXIMUM_REPORT_BYTES))
    except (ValueError, RecursionError):
        raise InputError("worker.no_report", file=file) from None
    if not isinstance(value, dict):
        raise InputError("worker.no_report", file=file)
    return value


def _held_against(
    folder: _Folder, replayed: Replayed, certificate: Certificate | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields of report and certificate as they say them, and as plan and records decide them."""
    report = report_as_said(folder.report)
    derived = derived_report(folder.plan, folder.stored, replayed, report)
    certified = certificate.to_json_value() if certificate is not None else {}
    derived["certificate"] = derived_certificate(folder.plan, folder.stored, replayed, folder.report)
    names = [name for name in CERTIFIED if derived["certificate"][name] is not None]
    said = {**report, "certificate": {name: certified.get(name) for name in names}}
    return dict(fields_of(said)), dict(fields_of(derived))


def _names_it(certificate: Certificate, report: Mapping[str, Any]) -> bool:
    """Tell whether the certificate is over this report, to the last byte of its canonical form."""
    try:
        return certificate.report == digest_json(dict(report))
    except (TypeError, ValueError):
        return False


def _read_certificate(file: Path) -> Certificate | None:
    if not file.exists():
        return None
    try:
        return read_statement(Envelope.model_validate_json(read_bounded(file, MAXIMUM_REPORT_BYTES)).content())
    except (pydantic.ValidationError, PilotbaseError):
        raise InvalidProofError("worker.replay_certificate", file=file) from None


def _compare_cases(folder: _Folder) -> bool:
    """Compare ``cases.csv`` with the records, cell by cell; return whether there is one.

    Raises:
        InvalidProofError: a line differs; it is named.
    """
    file = folder.path / "cases.csv"
    if not file.exists():
        return False
    found = read_bounded(file, MAXIMUM_RECORD_BYTES).decode("utf-8", "replace").splitlines()
    expected = cases_csv(shown_cases(folder.records)).splitlines()
    if found == expected:
        return True
    pairs = enumerate(zip(found, expected, strict=False), start=1)
    line = next((number for number, (own, other) in pairs if own != other), min(len(found), len(expected)) + 1)
    shown = [lines[line - 1] if line <= len(lines) else "" for lines in (found, expected)]
    raise InvalidProofError("worker.replay_cases_differ", file=file, line=line, found=shown[0], expected=shown[1])


def _join(parts: list[Text]) -> Text:
    joined = parts[0]
    for part in parts[1:]:
        joined = text("worker.replay_fields", first=joined, next=part)
    return joined


def _verdict_of(replayed: Replayed) -> Text:
    return verdict_in_words(replayed.verdict, is_approximate(item.guarantee for item in replayed.decision.criteria))


def _replay(folder: _Folder, replayed: Replayed, compared: ReplayComparison) -> ReplayedVerdict:
    decision = replayed.decision
    return ReplayedVerdict(
        verdict=replayed.verdict,
        digest=replayed.digest,
        scored=decision.scored,
        cases=decision.total,
        attempt=folder.stored.facts.attempt,
        level=float(decision.levels.accept),
        root=replayed.root,
        leaves=replayed.leaves,
        criteria=tuple(
            ReplayedCriterion(
                rule=found.rule,
                verdict=found.verdict,
                estimate=found.estimate,
                lower=found.lower,
                upper=found.upper,
                used=found.used,
                total=found.total,
                decided_at=found.decided_at,
                guarantee=found.guarantee,
            )
            for found in decision.criteria
        ),
        compared=compared.same,
        absent=compared.absent,
        undecided=compared.undecided,
        certified=compared.certified,
    )


def replay_lines(replay: ReplayedVerdict) -> list[Text]:
    """Return a replay in sentences."""
    lines = [text("worker.replay_verdict", verdict=replay.verdict_in_words, digest=replay.digest)]
    lines += [
        text(
            "worker.line_criterion",
            rule=item.rule,
            outcome=text(f"outcome.{item.verdict}"),
            figure=figure_of(item.rule, item.estimate, (item.lower, item.upper)),
        )
        for item in replay.criteria
    ]
    lines.append(text("worker.replay_records", root=replay.root, leaves=replay.leaves, cases=replay.cases))
    lines.append(text("worker.replay_compared", count=len(replay.compared), absent=len(replay.absent)))
    if replay.undecided:
        lines.append(text("worker.replay_undecided", count=len(replay.undecided)))
    if replay.certified is False:
        lines.append(text("worker.replay_uncertified"))
    return lines
