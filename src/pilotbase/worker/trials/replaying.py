"""Replay: the contents of a trial's folder, compared with what its records decide."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic

from pilotbase.certificate.envelope import Envelope, read_statement
from pilotbase.certificate.issuing import claim_sentence, weakest_guarantee
from pilotbase.documents.base import Part
from pilotbase.documents.catalogues import wanted_language
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.files import read_bounded
from pilotbase.documents.hashes import Digest, digest_json
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.quantities import write_at_most
from pilotbase.documents.report import CriterionResult, Finding, Report
from pilotbase.documents.texts import Text, has_text, text
from pilotbase.documents.vocabularies import Outcome, Verdict, Verification, is_approximate, verdict_in_words
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase.trial.answering import count_abstentions
from pilotbase.trial.performance import summarise
from pilotbase.trial.probes import probe_findings, rejects, told_fields
from pilotbase.trial.records import StoredRecords, cases_csv, read_records, shown_cases
from pilotbase.trial.replaying import Replayed, replay_decision, replay_world
from pilotbase.trial.reporting import conclude, criterion_findings, section_of, worst_outcome
from pilotbase.trial.scoring import perturbations_of
from pilotbase.worker.trials.folder import RECORDS, WORLD, read_plan
from pilotbase.worker.trials.summary import figure_of

_DERIVED_WHOLE = (
    "criteria",
    "groups",
    "figures",
    "reasons",
    "performance",
    "load_test",
    "cells",
    "exchanges",
    "probes",
    "application",
    "scenario",
    "contract",
    "design",
    "order",
)
"""Parts of a report that plan and records decide completely: any other content is wrong."""
_WHOLE = tuple(f"{part}{end}" for part in _DERIVED_WHOLE for end in (".", "["))
_CERTIFIED = ("verdict", "plan", "attempt", "application", "scenario", "criteria", "guarantee", "claim")
"""What a certificate states that plan and records decide; its claim if the whole report is there."""
_AS_ONE = frozenset(
    {"application", "claim", "contract", "limits", "paired", "path", "scenario", "sentence"}
    | {"groups[]", "figures[]", "latency_histogram", "reasons[]"}
)
_OF_VOCABULARY = frozenset({"verdict", "outcome"})
_LARGEST = 80
_MOST_REPORT_BYTES = 16 << 20
_MOST_RECORD_BYTES = 2 << 30
_SHOWN = 10
_Json = Mapping[str, Any]


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
    """A verdict derived again, and what it was compared with."""

    verdict: Verdict
    digest: Digest
    """Digest of the decision: the same on every machine."""
    scored: int
    cases: int
    attempt: int
    level: float
    root: Digest
    leaves: int
    criteria: tuple[ReplayedCriterion, ...]
    compared: tuple[str, ...]
    """Fields of the report and files of the folder that agree."""
    absent: tuple[str, ...]
    """What was missing for a comparison."""
    undecided: tuple[str, ...]
    """Parts of the report that records do not decide: the box, the base's own counts, titles and times."""
    episodes: int | None = None
    """Episodes of a world that were derived again from seeds and acts; None: no world, or its program was not given."""
    certified: bool | None
    """Whether the certificate names this very report, so that its signature covers it; None without a certificate."""

    @property
    def verdict_in_words(self) -> Text:
        """Return the verdict's name, with its rider."""
        return verdict_in_words(self.verdict, is_approximate(item.guarantee for item in self.criteria))

    def __str__(self) -> str:
        return "\n".join(line.render(wanted_language()) for line in replay_lines(self))

    __repr__ = __str__


@dataclass(frozen=True)
class _Folder:
    """A trial's folder, as far as a replay reads it; ``report`` is plain JSON, even if parts of it were deleted."""

    path: Path
    report: Mapping[str, Any]
    plan: TrialPlan
    records: bytes
    stored: StoredRecords


def replay_trial(path: Path, world: Path | None = None) -> ReplayedVerdict:
    """Return the verdict that follows from a trial's records; ``path`` is its folder or its ``report.json``.

    Verdict and scores may have been deleted from the report: the remaining parts are compared. ``world``: the folder of
    the world in which episodes are played again, by default the one beside the report.

    Raises:
        RefusedError: a supplier's folder, which holds no records.
        InputError: a file is missing or malformed; a rehearsal.
        InvalidProofError: a record, a batch, the order or the plan does not match its commitment; or report,
            certificate or cases.csv disagree with the records (all differences are named).
    """
    folder = _open(path)
    replayed = replay_decision(folder.plan, folder.stored, str(folder.report["records"]["root"]))
    certificate = _read_certificate(folder.path / "certificate.json")
    said, derived = _held_against(folder, replayed, certificate)
    different = [
        text(
            "worker.replay_field", field=field, found=_said(field, value), derived=_said(field, derived.get(field, "–"))
        )
        for field, value in said.items()
        if value != derived.get(field) and (field in derived or field.startswith(_WHOLE))
    ]
    decision = replayed.decision
    if different:
        raise InvalidProofError(
            "worker.replay_differs",
            count=len(different),
            verdict=verdict_in_words(replayed.verdict, is_approximate(item.guarantee for item in decision.criteria)),
            fields=_join(different[:_SHOWN]),
        )
    csv = _compare_cases(folder)
    episodes = replay_world(folder.plan, folder.stored, world, folder.path / WORLD)
    compared = [*(field for field in derived if field in said), *(["cases.csv"] if csv else [])]
    absent = [*(field for field in derived if field not in said), *([] if csv else ["cases.csv"])]
    absent += [WORLD] if folder.plan.contract.world is not None and episodes is None else []
    return ReplayedVerdict(
        verdict=replayed.verdict,
        digest=replayed.digest,
        scored=decision.scored,
        cases=decision.total,
        attempt=folder.stored.facts.attempt,
        level=float(decision.levels.accept),
        root=replayed.root,
        leaves=replayed.leaves,
        criteria=tuple(ReplayedCriterion.model_validate(one, from_attributes=True) for one in decision.criteria),
        compared=tuple(compared),
        absent=tuple(absent),
        undecided=tuple(field for field in said if field not in derived),
        episodes=episodes,
        certified=None if certificate is None else _names_it(certificate, folder.report),
    )


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
    data = read_bounded(records, _MOST_RECORD_BYTES)
    stored = read_records(data, plan.contract.prediction, plan.batch_rows, str(records))
    return _Folder(file.parent, report, plan, data, stored)


def _read_report(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_bounded(file, _MOST_REPORT_BYTES))
    except (ValueError, RecursionError):
        raise InputError("worker.no_report", file=file) from None
    if not isinstance(value, dict):
        raise InputError("worker.no_report", file=file)
    return value


def _read_certificate(file: Path) -> Certificate | None:
    if not file.exists():
        return None
    try:
        return read_statement(Envelope.model_validate_json(read_bounded(file, _MOST_REPORT_BYTES)).content())
    except (pydantic.ValidationError, PilotbaseError):
        raise InvalidProofError("worker.replay_certificate", file=file) from None


def _held_against(
    folder: _Folder, replayed: Replayed, certificate: Certificate | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields of report and certificate as stated, and as plan and records decide them."""
    report = _report_as_said(folder.report)
    derived = _derived_report(folder.plan, folder.stored, replayed, report)
    certified = certificate.to_json_value() if certificate is not None else {}
    derived["certificate"] = _derived_certificate(folder, replayed, certified.get("claim"))
    names = [name for name in _CERTIFIED if derived["certificate"][name] is not None]
    said = {**report, "certificate": {name: certified.get(name) for name in names}}
    return dict(_fields_of(said)), dict(_fields_of(derived))


def _report_as_said(report: _Json) -> dict[str, Any]:
    """Return a report, even if parts were deleted from it, with the findings of its sections under their names."""
    sections = {
        str(section.get("verification")): {
            "outcome": section.get("outcome"),
            "findings": {str(item.get("check")): item for item in _listed(section.get("findings"))},
        }
        for section in _listed(report.get("sections"))
    }
    return {**report, "sections": sections}


def _derived_report(plan: TrialPlan, stored: StoredRecords, replayed: Replayed, said: _Json) -> dict[str, Any]:
    """Return all of a report that plan and records decide, in its own form; ``said`` is from `_report_as_said`."""
    facts, decision, results = stored.facts, replayed.decision, replayed.judged.criteria
    load = facts.load
    broken = facts.end is not EndReason.FINISHED
    ended = text("trial.reason.ended", reason=END_TEXTS[facts.end], answered=facts.answered) if broken else None
    answers = stored.records.answers
    floor, runs = replayed.judged.floor_missed(plan.design.accept_from), plan.repeats or 1
    cases, answered_cases, scored = decision.total // runs, facts.answered // runs, math.ceil(decision.scored / runs)
    return {
        "verdict": replayed.verdict.value,
        "decision": replayed.digest,
        "plan": plan.digest(),
        "application": plan.application.to_json_value(),
        "scenario": plan.scenario.to_json_value(),
        "contract": plan.contract.to_json_value(),
        "design": plan.design.to_json_value(),
        "reasons": derived_reasons(results, ended, rejects(load), said, floor),
        "records": {"root": replayed.root, "leaves": replayed.leaves, "answers": facts.answers},
        "order": {"commitment": plan.order_commitment, "nonce": plan.nonce, "secret": facts.order_secret},
        "attempt": {
            "number": facts.attempt,
            "alpha": float(decision.levels.accept),
            "alpha_of_all": facts.alpha_of_all,
            "reserved": cases,
            "answered": answered_cases,
            "scored": scored,
            **({"rests": replayed.judged.rests.to_json_value()} if facts.described else {}),
        },
        "counts": {
            "cases": cases,
            "answered": answered_cases,
            "abstained": count_abstentions(answers, facts.answered, plan.contract.prediction),
            "scored": scored,
        },
        "isolation": {"end": facts.end.value, "limits": plan.limits.to_json_value()},
        "performance": summarise(load).to_json_value() if len(load.batch_seconds) else None,
        **{name: _plain(figures) for name, figures in told_fields(load).items()},
        "criteria": [result.to_json_value() for result in results],
        "figures": [figure.to_json_value() for figure in replayed.judged.figures],
        "errors": replayed.judged.errors and replayed.judged.errors.to_json_value() if facts.described else None,
        "groups": [score.to_json_value() for score in replayed.judged.groups],
        "sections": _derived_sections(plan, results, said, probe_findings(load, unasked=False)),
    }


def derived_reasons(
    results: tuple[CriterionResult, ...], ended: Text | None, depending: bool, said: _Json, floor: Text | None = None
) -> list[dict[str, Any]]:
    """Return the reasons; of reports from before `round_beside`, with the scores in two digits, as they state them."""
    two_digits = {one.rule: f"{one.estimate:.2g}" for one in results if one.estimate is not None}
    derived: list[dict[str, Any]] = []
    for place, reason in enumerate(conclude(results, ended, depending, floor)[1]):
        made, stated = reason.model_dump(mode="json"), _listed(said.get("reasons"))[place : place + 1]
        params = made["params"]
        earlier = {**made, "params": {**params, "estimate": two_digits.get(params.get("rule"), "")}}
        derived.append(earlier if "estimate" in params and stated == [earlier] else made)
    return derived


def _derived_sections(
    plan: TrialPlan,
    results: tuple[CriterionResult, ...],
    said: _Json,
    further: Mapping[Verification, Sequence[Finding]],
) -> dict[str, Any]:
    """Return the findings on criteria, perturbations and other requirements, and each section's outcome from them."""
    sections: dict[str, Any] = {verification.value: {"findings": {}} for verification in Verification}
    for result, finding in zip(results, criterion_findings(results), strict=True):
        sections[section_of(result.rule).value]["findings"][finding.check] = finding.to_json_value()
    for under in map(str, perturbations_of(plan.criteria)):
        judged = [result.outcome for result in results if str(parse_rule(result.rule).under) == under]
        found = {"outcome": worst_outcome(judged).value}
        sections[Verification.FUNCTION.value]["findings"][f"robustness: {under}"] = found
    for verification, findings in further.items():
        for finding in findings:
            sections[verification.value]["findings"][finding.check] = finding.to_json_value()
    for name, section in said["sections"].items():
        if name in sections:
            outcomes = {item.get("outcome") for item in section["findings"].values()}
            sections[name]["outcome"] = worst_outcome(each for each in Outcome if each.value in outcomes).value
    return sections


def _plain(figures: Any) -> Any:
    """Return figures as plain JSON, each part without its empty fields."""
    if isinstance(figures, Part):
        return figures.to_json_value()
    return list(map(_plain, figures)) if isinstance(figures, tuple) else figures


def _derived_certificate(folder: _Folder, replayed: Replayed, stated: Any) -> dict[str, Any]:
    """Return what a certificate states that plan and records decide, under its own names (`_CERTIFIED`).

    ``stated``: its claim. Of certificates from before `write_at_most` levels are rounded to the nearest.
    """
    results, plan, stored = replayed.judged.criteria, folder.plan, folder.stored
    try:
        proven = {
            "verdict": replayed.verdict,
            "criteria": results,
        }  # what was forged there is told once, not in a claim
        report = Report.model_validate(folder.report).model_copy(update=proven)
        claim = claim_sentence(report, plan).model_dump(mode="json")
        own = float(replayed.decision.levels.accept)
        earlier = json.dumps(claim)
        for level in (own, stored.facts.alpha_of_all):
            earlier = earlier.replace(f'"{write_at_most(level)}"', f'"{level:.4g}"')
        claim = stated if stated == json.loads(earlier) else claim
    except (pydantic.ValidationError, PilotbaseError):  # parts of the report were deleted
        claim = None
    values = (
        replayed.verdict.value,
        plan.digest(),
        stored.facts.attempt,
        plan.application.to_json_value(),
        plan.scenario.to_json_value(),
        [result.rule for result in results],
        weakest_guarantee(results),
        claim,
    )
    return dict(zip(_CERTIFIED, values, strict=True))


def _fields_of(value: Any, name: str = "", key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (field, spelled value) of plain JSON; missing values and nulls are left out, some parts stay whole."""
    if value is None:
        return
    if key in _AS_ONE or not isinstance(value, Mapping | list):
        yield name, _spelled(value)
    elif isinstance(value, Mapping):
        for inner, part in value.items():
            yield from _fields_of(part, f"{name}.{inner}" if name else str(inner), str(inner))
    else:
        for index, part in enumerate(value):
            yield from _fields_of(part, f"{name}[{index}]", f"{key}[]")


def _spelled(value: object) -> str:
    """Return a value as text, numbers in six significant digits: the seventeenth differs between machines."""
    if isinstance(value, Mapping | list):
        return json.dumps(_rounded(value), ensure_ascii=False, sort_keys=True)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value if isinstance(value, str) else _spelled(value)


def _listed(value: object) -> list[_Json]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _said(field: str, value: str) -> Text | str:
    """Return a spelled value as an error names it: a sentence or a word of ours in the reader's language."""
    kind = field.rpartition(".")[2]
    word = f"{kind}.{value}"
    if kind in _OF_VOCABULARY and has_text(word):
        return text(word)
    try:
        sentence = Text.model_validate_json(value)
        sentence.render()
    except (pydantic.ValidationError, LookupError, ValueError):  # no sentence, or not one of ours
        return _shortened(value)
    return sentence


def _shortened(value: str) -> str:
    return value if len(value) <= _LARGEST else f"{value[:_LARGEST]}…"


def _join(parts: list[Text]) -> Text:
    joined = parts[0]
    for part in parts[1:]:
        joined = text("worker.replay_fields", first=joined, next=part)
    return joined


def _compare_cases(folder: _Folder) -> bool:
    """Compare ``cases.csv`` with the records, cell by cell; return whether there is one.

    Raises:
        InvalidProofError: a line differs; it is named.
    """
    file = folder.path / "cases.csv"
    if not file.exists():
        return False
    found = read_bounded(file, _MOST_RECORD_BYTES).decode("utf-8", "replace").splitlines()
    expected = cases_csv(shown_cases(folder.records)).splitlines()
    if found == expected:
        return True
    pairs = enumerate(zip(found, expected, strict=False), start=1)
    line = next((number for number, (own, other) in pairs if own != other), min(len(found), len(expected)) + 1)
    shown = [lines[line - 1] if line <= len(lines) else "" for lines in (found, expected)]
    raise InvalidProofError("worker.replay_cases_differ", file=file, line=line, found=shown[0], expected=shown[1])


def _names_it(certificate: Certificate, report: Mapping[str, Any]) -> bool:
    """Return whether the certificate is over this report, to the last byte of its canonical form."""
    try:
        return certificate.report == digest_json(dict(report))
    except (TypeError, ValueError):
        return False


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
    if replay.episodes is not None:
        lines.append(text("worker.replay_episodes", count=replay.episodes))
    elif WORLD in replay.absent:
        lines.append(text("worker.replay_no_world"))
    if replay.undecided:
        lines.append(text("worker.replay_undecided", count=len(replay.undecided)))
    if replay.certified is False:
        lines.append(text("worker.replay_uncertified"))
    return lines
