"""A trial's folder: written as files for people and programs, and read from files of any origin."""

from __future__ import annotations

import json
import os
import shutil
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pydantic

from pilotbase.certificate.envelope import Envelope
from pilotbase.certificate.exports import ProvenCertificate
from pilotbase.data.labelling.gathering import source_of
from pilotbase.documents.base import Document
from pilotbase.documents.catalogues import wanted_language
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.figures import ShownCases
from pilotbase.documents.files import PRIVATE, PUBLIC, format_csv, read_bounded, write_whole
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.labelling import LabelledItems
from pilotbase.documents.loading import load_document
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.texts import LANGUAGES, Text, text
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.page import render_report
from pilotbase.trial.phases.panel import (
    GUIDELINE,
    WAITING,
    as_written,
    assigned_items,
    campaign_of,
    items_to_judge,
    take_verdicts,
)
from pilotbase.trial.records import cases_csv, shown_cases
from pilotbase.trial.rehearsing import Rehearsal
from pilotbase.trial.shown_cases import PNG, pictured_fields
from pilotbase.trial.shown_episodes import recorded_episodes
from pilotbase.vault.envelopes import open_envelope
from pilotbase.vault.opening import ReaderGrant
from pilotbase.workspace.home import HUB_URL

RECORDS = "records.parquet"
"""The input of a replay: every column of the records, and what commits to them."""
WORLD = "world"
"""The program of the world, where episodes were played: with it a replay derives them again."""
SHOWN_CASES = "shown-cases.json"
"""Cases of a rehearsal for inspection, if the supplier may hold the rows."""
_CASES = "cases.csv"
VERDICTS = "labelled-items.json"
"""Written by `pilotbase data labels adjudicate`, read when the trial is run again."""
_MOST_BYTES = 16 << 20
Kind = TypeVar("Kind", bound=Document)


@dataclass(frozen=True)
class TrialFiles:
    """Everything that a trial's folder holds; at a site no certificate, which the base issues."""

    plan: TrialPlan
    report: Report
    certificate: Certificate | None
    envelope: Envelope | None
    records: bytes | None
    checkpoint: str
    """Signed state of the base's log: kept outside, it later proves that the log was not rewritten."""
    world: Path | None = None
    """Where the base keeps the world of the trial."""


def open_records(lab: TrialRuntime, report: Report, owner: str) -> bytes | None:
    """Return the file of the records of a report for its owner; the opening is logged. None for a report without."""
    if report.records is None or report.plan is None:
        return None
    return open_envelope(lab.vault, owner, report.plan, report.records.blob, ReaderGrant.of_owner(owner))


def write_trial(folder: Path, files: TrialFiles) -> None:
    """Write the folder of a trial; its subfolder ``supplier/`` holds what the supplier may see."""
    supplier = folder / "supplier"
    check_at = check_address(files.certificate) if files.certificate is not None else None
    supplier.mkdir(parents=True, exist_ok=True)
    kept = files.records
    episodes = None if kept is None else recorded_episodes(files.plan, files.report.digest(), kept)
    for place, shown, cases in ((folder, files.report, episodes), (supplier, files.report.supplier_view(), None)):
        mode = PUBLIC if place == supplier else PRIVATE
        write_json(place / "plan.json", files.plan)
        write_json(place / "report.json", shown, mode)
        page = render_report(shown, files.certificate, wanted_language(), check_at, cases=cases)
        write_whole(place / "report.html", page, mode)
        if files.envelope is not None:
            write_whole(place / "certificate.json", files.envelope.to_bytes())
    write_whole(folder / "log-checkpoint.txt", files.checkpoint)
    if files.records is not None:
        write_whole(folder / _CASES, cases_csv(shown_cases(files.records)), PRIVATE)
        write_whole(folder / RECORDS, files.records, PRIVATE)
    if files.world is not None:
        shutil.rmtree(folder / WORLD, ignore_errors=True)
        shutil.copytree(files.world, folder / WORLD, copy_function=shutil.copyfile)
    write_whole(folder / "application.log", _withheld(files.report))


@contextmanager
def judged_in(lab: TrialRuntime, plan: TrialPlan, folder: Path) -> Iterator[None]:
    """Take verdicts that stand in ``folder``; write its sheets if the block has to wait for verdicts.

    Raises as `take_verdicts`, and what the block raises.
    """
    if plan.panel is not None and (folder / VERDICTS).exists():
        labelled, source = load_document(LabelledItems, folder / VERDICTS), source_of(folder / VERDICTS)
        take_verdicts(lab, plan, labelled.items, labelled.guideline.digest, source)
    try:
        yield
    except RefusedError as error:
        if error.code == WAITING and not (folder / GUIDELINE).exists():
            _write_sheets(lab, plan, folder)
        raise


def rehearsal_folder(lab: TrialRuntime, application: Digest, scenario: str) -> Path:
    """Return the folder of the rehearsal of an application's folder on the scenario of that name."""
    return lab.folder("rehearsals", hex_of(application), scenario)


def write_rehearsal(folder: Path, rehearsal: Rehearsal) -> Path:
    """Write the folder of a rehearsal, and return it; full log and cases only if the supplier may hold the rows."""
    folder.mkdir(parents=True, exist_ok=True)
    withheld = not rehearsal.log and rehearsal.report.isolation.log_bytes
    write_whole(folder / "application.log", _withheld(rehearsal.report) if withheld else rehearsal.log)
    shown = None
    if rehearsal.table is None:
        for name in (_CASES, SHOWN_CASES):
            (folder / name).unlink(missing_ok=True)
    else:
        kind = rehearsal.report.contract.prediction.kind
        shown = ShownCases(report=rehearsal.report.digest(), kind=kind, cases=rehearsal.shown)
        write_whole(folder / _CASES, cases_csv(rehearsal.table))
        write_json(folder / SHOWN_CASES, shown)
    write_whole(folder / "report.html", render_report(rehearsal.report, None, wanted_language(), cases=shown))
    write_json(folder / "report.json", rehearsal.report)
    return folder


def write_json(path: Path, document: Document, mode: int = PUBLIC) -> None:
    """Write a document as readable JSON; its digest is that of its canonical form, not of this file."""
    write_whole(path, json.dumps(document.to_json_value(), ensure_ascii=False, indent=1), mode)


def _withheld(report: Report) -> str:
    sentence = text("worker.log_withheld", bytes=report.isolation.log_bytes)
    return "\n".join(sentence.render(language) for language in LANGUAGES) + "\n"


def check_address(certificate: Certificate) -> str | None:
    """Return the address of a certificate's page, or None if no hub is configured."""
    url = os.environ.get(HUB_URL, "").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return f"{url}/certificates/{certificate.serial.partition(':')[2]}/"


def read_report(path: Path) -> Report:
    """Return the report in a file or in a trial's folder.

    Raises:
        InputError: there is no such file, it is too large, it is no report, or it contains a code for which this
            version has no sentence.
    """
    file = path / "report.json" if path.is_dir() else path
    report = _document(file, Report, "worker.no_report")
    require_known_sentences(report, file)
    return report


def proof_of(certificate: Certificate, file: Path, report: Path | None = None) -> ProvenCertificate:
    """Return a certificate with the report behind it: ``report``, or the one beside ``file``, which may be a folder.

    Raises:
        InputError: as `read_report`.
        InvalidProofError: it is the report of another trial.
    """
    beside = (file if file.is_dir() else file.parent) / "report.json"
    path = report or (beside if beside.is_file() else None)
    return ProvenCertificate(certificate, None if path is None else read_report(path))


def require_known_sentences(report: Report, file: Path) -> None:
    """Return if each sentence of a report can be shown; raises `InputError` naming the first that cannot."""
    unknown = next((sentence for sentence in _sentences(report) if not _is_known(sentence)), None)
    if unknown is not None:
        raise InputError("worker.foreign_sentence", file=file, found=unknown.code[:80])


def read_plan(file: Path) -> TrialPlan:
    """Return the plan in a file; raises `InputError` when there is none, or it is too large or no plan."""
    return _document(file, TrialPlan, "worker.no_plan")


def cases_file(path: Path) -> Path:
    """Return the file with all cases of ``path``: for a trial's folder or its ``cases.csv``, the records beside it.

    ``cases.csv`` shows people only the truths of scored cases, and the number of cases of each class enters a decision.
    """
    shown = path / _CASES if path.is_dir() else path
    records = shown.parent / RECORDS
    return records if shown.name == _CASES and records.is_file() else shown


def _document(file: Path, kind: type[Kind], problem: str) -> Kind:
    try:
        # The reader of JSON bounds depth and length of numbers, and refuses half surrogate pairs.
        return kind.model_validate_json(read_bounded(file, _MOST_BYTES))
    except pydantic.ValidationError:
        raise InputError(problem, file=file) from None


def _sentences(value: object) -> Iterator[Text]:
    """Yield every sentence of a document, only the outer ones: nested ones are rendered with them."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _sentences(item)
    elif isinstance(value, pydantic.BaseModel):
        for name in type(value).model_fields:
            yield from _sentences(getattr(value, name))


def _is_known(sentence: Text) -> bool:
    try:
        for language in LANGUAGES:
            sentence.render(language)
    except (LookupError, ValueError, TypeError, AttributeError):  # unknown code, a missing value or one of another kind
        return False
    return True


def _write_sheets(lab: TrialRuntime, plan: TrialPlan, folder: Path) -> None:
    language = wanted_language()
    items = {item: as_written(plan, shown, language) for item, shown in items_to_judge(lab, plan).items()}
    folder.mkdir(parents=True, exist_ok=True)
    for item, shown in items.items():
        for number, name in enumerate(pictured_fields(plan.contract), 1):
            if shown[name]:
                png, shown[name] = b64decode(shown[name].removeprefix(PNG)), f"{item}-{number}.png"
                write_whole(folder / shown[name], png, PRIVATE)
    fields = list(next(iter(items.values())))
    for expert, given in assigned_items(plan, list(items)).items():
        rows = ([item, expert, "", *(items[item][name] for name in fields)] for item in given)
        # Fields may be called as the columns of a sheet are.
        sheet = format_csv(["item", "annotator", "label", *(f"case: {name}" for name in fields)], rows)
        write_whole(folder / f"{expert}.csv", sheet, PRIVATE)
    write_json(folder / "campaign.json", campaign_of(plan), PRIVATE)
    assert plan.panel is not None
    write_whole(folder / GUIDELINE, plan.panel.guideline, PRIVATE)
