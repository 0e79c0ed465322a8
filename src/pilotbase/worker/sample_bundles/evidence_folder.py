"""The evidence folder 合规材料包: what a regulator or an auditor requires of a finished trial, in one folder.

1-filings         what was filed and approved, with numbers and days
2-self-assessment the conformity matrix, with the documents and records that were handed in since
3-test-records    plan, report and certificate, as they were issued
4-label-check     records of checks of labels, keywords and reviewers
5-data-terms      where the data come from and on which terms they were used

It contains no case, no true label and no secret of the vault. Its first page lists what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.documents.application import Application
from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.files import PRIVATE, format_csv, read_bounded, whole_folder, write_whole
from pilotbase.documents.loading import load_document
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.standards import ConformityRow, EvidenceDocument, StandardCheck
from pilotbase.documents.texts import LANGUAGES, Language, Text, make_visible, text
from pilotbase.documents.vocabularies import Conformity
from pilotbase.standards.matrix import MatrixInputs, Voucher, conformity_rows
from pilotbase.trial.sealed import load_sealed
from pilotbase.trial.standards import frozen_requirements
from pilotbase.worker.base import Base
from pilotbase.worker.sample_bundles.files import SUMS, sums_of
from pilotbase.worker.trials.folder import read_plan, read_report

_RECORDS = ("report.html", "certificate.json", "log-checkpoint.txt")
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Handed:
    """What was handed in after the trial."""

    checks: Sequence[StandardCheck] = ()
    quality: QualityReport | None = None


@dataclass(frozen=True)
class Dossier:
    """A finished trial with everything known about it."""

    folder: Path
    plan: TrialPlan
    report: Report
    scenario: Scenario
    application: Application
    rows: tuple[ConformityRow, ...]
    evidence: tuple[tuple[EvidenceDocument, Voucher], ...]
    handed: Handed

    @property
    def lacking(self) -> list[ConformityRow]:
        """Return the requirements that nothing shows to be met."""
        return [row for row in self.rows if row.outcome is not Conformity.MET]


def read_handed(files: Sequence[Path], quality: Path | None) -> Handed:
    """Return records of checks and the data's quality report from files; raises `InputError`."""
    checks = [load_document(StandardCheck, file) for file in files]
    return Handed(checks, None if quality is None else load_document(QualityReport, quality))


def write_evidence_folder(base: Base, trial: Path, out: Path, handed: Handed) -> Dossier:
    """Write the folder of a finished trial to ``out``, which is absent or empty, and return what is in it.

    Raises:
        InputError: no trial is there, its scenario names no standard, or ``out`` holds something.
        InvalidProofError: the report is not that of the plan.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("standard.folder_taken", folder=out)
    dossier = _read(base, trial, handed)
    files = dict(_files(dossier))
    with whole_folder(out) as draft:
        for name, content in (files | {SUMS: sums_of(files)}).items():
            place = draft / name
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, content, PRIVATE)
    return dossier


def _read(base: Base, trial: Path, handed: Handed) -> Dossier:
    plan, report = read_plan(trial / "plan.json"), read_report(trial)
    if report.plan != plan.digest():
        raise InvalidProofError("certificate.other_plan", plan=plan.digest(), report=report.plan)
    if plan.standards is None:
        raise InputError("standard.none_named", folder=trial)
    scenario = load_sealed(base.lab.view, plan.sealed).scenario
    application = read_application(base.lab.application_folder(plan.application.digest)).application
    evidence: list[tuple[EvidenceDocument, Voucher]] = []
    evidence += [(one, "owner") for use in scenario.standards or () for one in use.evidence]
    evidence += [(one, "supplier") for one in application.evidence or ()]
    evidence += [(one, "base") for check in handed.checks for one in check.as_evidence()]
    shown = MatrixInputs(
        criteria=report.criteria,
        findings=[finding for section in report.sections for finding in section.findings],
        quality=handed.quality,
        evidence=evidence,
        day=base.lab.store.clock().date().isoformat(),
    )
    rows = conformity_rows(frozen_requirements(base.lab.view, plan.standards, scenario), shown)
    return Dossier(trial, plan, report, scenario, application, rows, tuple(evidence), handed)


def _files(of: Dossier) -> Iterator[tuple[str, bytes]]:
    """Yield name → content; a table for programs beside each page for people."""
    yield "README.md", "\n\n---\n\n".join("\n".join(_first_page(of, one)) for one in LANGUAGES).encode()
    yield "1-filings/filings.csv", _table(_filings(of))
    yield "2-self-assessment/conformity.csv", _table(_matrix(of))
    yield "2-self-assessment/conformity.json", _json([row.to_json_value() for row in of.rows])
    for language in LANGUAGES:
        yield f"2-self-assessment/conformity.{language}.md", "\n".join(_matrix_page(of, language)).encode()
    yield "2-self-assessment/documents.csv", _table(_documents(of))
    yield "3-test-records/plan.json", _json(of.plan.to_json_value())
    yield "3-test-records/report.json", _json(of.report.to_json_value())
    for name in _RECORDS:
        if (of.folder / name).is_file():
            yield f"3-test-records/{name}", read_bounded(of.folder / name, _MOST_BYTES)
    for number, check in enumerate(of.handed.checks, 1):
        yield f"4-label-check/{number:02}-{check.kind}.json", _json(check.to_json_value())
    if of.handed.quality is not None:
        yield "5-data-terms/quality.json", _json(of.handed.quality.to_json_value())
    yield "5-data-terms/terms.json", _json(_terms(of))


def _first_page(of: Dossier, language: Language) -> Iterator[str]:
    def say(code: str, **params: object) -> str:
        return text(code, **params).render(language, make_visible)

    application = of.plan.application
    yield f"# {say('standard.folder.title')}\n"
    yield say(
        "standard.folder.about",
        application=f"{application.name} {application.version}",
        supplier=application.supplier.organisation,
        scenario=of.scenario.name,
        verdict=of.report.verdict_in_words,
        report=of.report.digest(),
    )
    yield "\n" + say("standard.not_conformity") + "\n"
    for number, part in enumerate(("filings", "self_assessment", "test_records", "label_check", "data_terms"), 1):
        yield f"{number}. {say(f'standard.folder.{part}')}"
    yield f"\n## {say('standard.folder.lacking', count=len(of.lacking), all=len(of.rows))}\n"
    for row in of.lacking:
        outcome = say(f"standard.outcome.{row.outcome}")
        asks = make_visible(localized(row.asks, language))
        yield f"- {row.source} {row.clause or row.requirement}: {asks} **{outcome}**: {_said(row.sentence, language)}"
    yield ""


def _matrix_page(of: Dossier, language: Language) -> Iterator[str]:
    def say(code: str, **params: object) -> str:
        return text(code, **params).render(language, make_visible)

    heads = [say(f"standard.page.{name}") for name in ("clause", "asks", "status", "outcome", "shown")]
    yield f"# {say('standard.page.title')}\n\n{say('standard.not_conformity')}\n"
    yield f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}"
    for row in of.rows:
        place = say("standard.aligned_at", source=row.source, clause=row.clause or row.requirement)
        cells = (
            place,
            make_visible(localized(row.asks, language)),
            say(f"standard.status.{row.status}"),
            say(f"standard.outcome.{row.outcome}"),
            _said(row.sentence, language),
        )
        yield f"| {' | '.join(cell.replace('|', '／').replace(chr(10), ' ') for cell in cells)} |"
    yield ""


def _said(sentence: Text, language: Language) -> str:
    return sentence.render(language, make_visible)


def _filings(of: Dossier) -> Iterator[Mapping[str, object]]:
    for one, by in of.evidence:
        if one.kind.endswith("-filing"):
            yield {"kind": one.kind, "reference": one.reference, "until": one.until, "vouched_by": by}
    for approval in of.scenario.trial.approvals:
        reference, until = approval.reference or "", approval.until or ""
        yield {"kind": f"approval: {approval.kind}", "reference": reference, "until": until, "vouched_by": "owner"}


def _matrix(of: Dossier) -> Iterator[Mapping[str, object]]:
    for row in of.rows:
        yield {
            "aligned_with": row.source,
            "clause": row.clause,
            "requirement": row.requirement,
            "profile": f"{row.profile} {row.version}",
            "asks_en": localized(row.asks, "en"),
            "asks_zh": localized(row.asks, "zh"),
            "status": row.status.value,
            "mandatory": row.mandatory,
            "outcome": row.outcome.value,
            "figure": row.estimate,
            "vouched_by": row.vouched_by,
            "why": row.sentence.render("en"),
        }


def _documents(of: Dossier) -> Iterator[Mapping[str, object]]:
    for one, by in of.evidence:
        yield {**dict(one), "reviewers": "; ".join(one.reviewers), "vouched_by": by}


def _terms(of: Dossier) -> dict[str, object]:
    """Return where the data come from and on which terms; no case and no figure of them."""
    data, trial = of.scenario.data, of.scenario.trial
    return {
        "scenario": of.scenario.subject,
        "dataset": data.dataset,
        "licence": data.licence,
        "source": data.source,
        "nature": data.nature,
        "withheld_columns": list(data.withheld),
        "public_sample": of.plan.scenario.public_sample,
        "hidden_cases": of.plan.scenario.hidden_cases,
        "isolation": of.plan.isolation.value,
        "approvals": [approval.to_json_value() for approval in trial.approvals],
    }


def _table(rows: Iterator[Mapping[str, object]]) -> bytes:
    found = list(rows)
    header = list(found[0]) if found else []
    return format_csv(header, (["" if cell is None else str(cell) for cell in row.values()] for row in found))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
