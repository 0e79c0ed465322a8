"""A trial's folder: report, certificate, plan and per-case records as files for people and programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pilotbase.certificate import Envelope
from pilotbase.documents.base import Document
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.shown_cases import ShownCases
from pilotbase.documents.texts import LANGUAGES, text
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.page import render_report
from pilotbase.trial.records import cases_csv
from pilotbase.trial.rehearsing import Rehearsal
from pilotbase.trial.stored_records import shown_cases
from pilotbase.vault.envelopes import open_envelope
from pilotbase.vault.opening import ReaderGrant
from pilotbase.worker.trials.check_address import check_address
from pilotbase.worker.whole_files import PRIVATE, PUBLIC, write_whole

RECORDS = "records.parquet"
"""What a replay reads: every column of the records, and what commits to them."""
SHOWN_CASES = "shown-cases.json"
"""Cases of a rehearsal to look at, where the supplier may hold the rows."""


def open_records(lab: TrialRuntime, report: Report, owner: str) -> bytes | None:
    """Return the file of the records of a report for its owner; the opening is logged. None for a report without."""
    if report.records is None or report.plan is None:
        return None
    return open_envelope(lab.vault, owner, report.plan, report.records.blob, ReaderGrant.of_owner(owner))


@dataclass(frozen=True)
class TrialFiles:
    """Everything that a trial's folder holds; at a site no certificate, which the base issues."""

    plan: TrialPlan
    report: Report
    certificate: Certificate | None
    envelope: Envelope | None
    records: bytes | None
    checkpoint: str
    """Signed state of the base's log: kept outside, it shows later that the log was not rewritten."""


def write_trial(folder: Path, files: TrialFiles) -> None:
    """Write the folder of a trial; its subfolder ``supplier/`` holds what the supplier may see."""
    supplier = folder / "supplier"
    check_at = check_address(files.certificate) if files.certificate is not None else None
    supplier.mkdir(parents=True, exist_ok=True)
    for place, shown in ((folder, files.report), (supplier, files.report.supplier_view())):
        mode = PUBLIC if place == supplier else PRIVATE
        write_json(place / "plan.json", files.plan)
        write_json(place / "report.json", shown, mode)
        write_whole(place / "report.html", render_report(shown, files.certificate, check_at=check_at), mode)
        if files.envelope is not None:
            write_whole(place / "certificate.json", files.envelope.to_bytes())
    write_whole(folder / "log-checkpoint.txt", files.checkpoint)
    if files.records is not None:
        write_whole(folder / "cases.csv", cases_csv(shown_cases(files.records)), PRIVATE)
        write_whole(folder / RECORDS, files.records, PRIVATE)
    write_whole(folder / "application.log", _withheld(files.report))


def rehearsal_folder(lab: TrialRuntime, application: Digest, scenario: str) -> Path:
    """Return the folder of the rehearsal of an application's folder on the scenario of that name."""
    return lab.folder("rehearsals", hex_of(application), scenario)


def write_rehearsal(folder: Path, rehearsal: Rehearsal) -> Path:
    """Write the folder of a rehearsal, and return it; full log and cases only where the supplier may hold the rows."""
    folder.mkdir(parents=True, exist_ok=True)
    withheld = not rehearsal.log and rehearsal.report.isolation.log_bytes
    write_whole(folder / "application.log", _withheld(rehearsal.report) if withheld else rehearsal.log)
    shown = None
    if rehearsal.table is None:
        for name in ("cases.csv", SHOWN_CASES):
            (folder / name).unlink(missing_ok=True)
    else:
        kind = rehearsal.report.contract.prediction.kind
        shown = ShownCases(report=rehearsal.report.digest(), kind=kind, cases=rehearsal.shown)
        write_whole(folder / "cases.csv", cases_csv(rehearsal.table))
        write_json(folder / SHOWN_CASES, shown)
    write_whole(folder / "report.html", render_report(rehearsal.report, cases=shown))
    write_json(folder / "report.json", rehearsal.report)
    return folder


def write_json(path: Path, document: Document, mode: int = PUBLIC) -> None:
    """Write a document as readable JSON; its digest is that of its canonical form, not of this file."""
    write_whole(path, json.dumps(document.to_json_value(), ensure_ascii=False, indent=1), mode)


def _withheld(report: Report) -> str:
    sentence = text("worker.log_withheld", bytes=report.isolation.log_bytes)
    return "\n".join(sentence.render(language) for language in LANGUAGES) + "\n"
