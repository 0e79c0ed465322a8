"""``pilotbase standard``: profiles, what changed in them and whom it touches, checks of files, evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.driving import Noun, open_base
from pilotbase.cli.framework.terminal import EXIT_REJECTED, AsJson, answer, each, language, say, say_all
from pilotbase.documents.base import localized
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilotbase.certificate.revoking import Affected
    from pilotbase.documents.standards import CheckedFile, Requirement, StandardCheck, StandardProfile
    from pilotbase.standards.composing import RequirementChange


app = Noun()


@app.here("list")
def list_profiles(as_json: AsJson = False) -> None:
    """List the built-in profiles and those of this base."""
    from pilotbase.worker.intake.standard_checks import known_profiles

    answer(known_profiles(), as_json, _print_profiles)


def _print_profiles(profiles: Iterable[StandardProfile]) -> None:
    for profile in profiles:
        held = sum(not one.is_off for one in profile.requirements)
        values = {"source": profile.source.identifier, "held": held, "off": len(profile.requirements) - held}
        title = localized(profile.title, language())
        say(text("standard.line.profile", name=profile.name, version=profile.version, title=title, **values))


@app.here("show")
def show(which: str, as_json: AsJson = False) -> None:
    """Show a profile: its source, the parts covered, and how each requirement is met."""
    from pilotbase.worker.intake.standard_checks import checked_profile

    answer(checked_profile(which), as_json, _print_profile)


def _print_profile(profile: StandardProfile) -> None:
    source = profile.source
    say(text("standard.line.title", title=localized(profile.title, language()), version=profile.version))
    say(text("standard.aligned", source=f"{source.identifier}, {localized(source.title, language())}"))
    status = Text(code=f"standard.status.{source.status}")
    say(text("standard.line.source", status=status, read=Text(code=f"standard.read.{source.read}")))
    if note := localized(source.note, language()):
        say(text("standard.line.note", note=note))
    say_all(text("standard.line.includes", name=included) for included in profile.includes)
    say_all(map(_requirement_line, profile.requirements))
    say(text("standard.not_conformity"))


@app.here("add")
def add(file: Path) -> None:
    """Register an organisation's own profile, or a newer version of it."""
    from pilotbase.standards.composing import read_profile
    from pilotbase.trial.standards import add_profile

    profile = read_profile(file)
    digest = add_profile(open_base().lab.view, profile)
    say(text("standard.added", name=profile.name, version=profile.version, digest=digest))


@app.here("diff")
def diff(before: str, after: str, as_json: AsJson = False) -> None:
    """Show what changed between two profiles, and whether requirements became stricter."""
    from pilotbase.standards.composing import differences
    from pilotbase.worker.intake.standard_checks import checked_profile

    changes = differences(checked_profile(before), checked_profile(after))
    told = [{"requirement": change.name, "change": change.kind} for change in changes]
    answer(told, as_json, lambda _: _print_changes(changes))


def _print_changes(changes: Sequence[RequirementChange]) -> None:
    for change in changes:
        asked = change.after or change.before
        asks = localized(asked.asks, language()) if asked is not None else ""
        kind = Text(code=f"standard.change.{change.kind}")
        say(text("standard.line.change", requirement=change.name, kind=kind, asks=asks))
    if not changes:
        say(text("standard.no_change"))


@app.here("affected")
def affected(which: str, as_json: AsJson = False) -> None:
    """Show which certificates of this base a changed profile affects, and which need a new trial."""
    from pilotbase.certificate.revoking import affected_certificates
    from pilotbase.worker.intake.standard_checks import checked_profile

    base, profile = open_base(), checked_profile(which)
    found = affected_certificates(base.lab.view, profile, base.lab.store.clock())
    told = [_affected_json(one) for one in found]
    none = text("standard.none_affected", name=profile.name, version=profile.version)
    answer(told, as_json, lambda _: each(_print_affected, none)(found))


def _print_affected(one: Affected) -> None:
    say(_affected_line(one))
    for touched in one.touched:
        outcome = Text(code=f"standard.outcome.{touched.outcome}")
        kind = Text(code=f"standard.change.{touched.change.kind}")
        say(text("standard.line.touched", requirement=touched.change.name, kind=kind, outcome=outcome))


@app.here("evidence")
def evidence(
    trial: Path,
    out: Annotated[Path, typer.Option()],
    records: Annotated[list[Path] | None, typer.Option("--with")] = None,
    quality: Path | None = None,
) -> None:
    """Write the evidence folder: filings, self-assessment, test records, label checks, data terms."""
    from pilotbase.worker.sample_bundles.evidence_folder import read_handed, write_evidence_folder

    handed = read_handed(records or [], quality)
    dossier = write_evidence_folder(open_base(), trial, out, handed)
    say(text("standard.folder_written", folder=out, lacking=len(dossier.lacking), all=len(dossier.rows)))


@app.here("labels")
def labels(paths: list[Path], out: Path | None = None, as_json: AsJson = False) -> None:
    """Look for labels of generated content, in metadata and in texts. Exit 3 where a file lacks what can be measured.

    What would need eyes or ears is not measured: the label on a picture, in a sound, in a video.
    """
    from pilotbase.worker.intake.standard_checks import check_labels, write_record

    files, records = check_labels(paths)
    if out is not None:
        for record in records:
            write_record(out / f"{record.kind}.json", record)
    answer(records, as_json, lambda _: [*map(_print_file, files), *map(_print_record, records)])
    named = [record for record in records if record.kind != "label-fields-check"]
    raise typer.Exit(0 if named and all(record.passed == record.sample for record in named) else EXIT_REJECTED)


@app.here("keywords")
def keywords(
    answers: Path,
    words: Annotated[Path, typer.Option("--list")],
    column: str = "answer",
    out: Path | None = None,
    as_json: AsJson = False,
) -> None:
    """Count the answers that contain none of the keywords."""
    from pilotbase.worker.intake.standard_checks import check_answers_for_keywords

    _tell(check_answers_for_keywords(answers, words, column), out, as_json)


@app.here("spot-check")
def spot_check(reviews: Path, out: Path | None = None, as_json: AsJson = False) -> None:
    """Count the answers that two reviewers independently approved; disagreement counts as rejection."""
    from pilotbase.worker.intake.standard_checks import check_two_reviewers

    _tell(check_two_reviewers(reviews), out, as_json)


def _requirement_line(one: Requirement) -> Text:
    shown = Text(code=f"standard.way.{one.way}")
    marks = [Text(code=f"standard.status.{one.status}").render(language())]
    marks += [text("standard.mark.mandatory").render(language())] if one.mandatory else []
    marks += [text("standard.mark.off").render(language())] if one.is_off else []
    asks, place = localized(one.asks, language()), one.clause or "–"
    return text("standard.line.requirement", place=place, name=one.id, asks=asks, way=shown, marks=marks)


def _affected_line(one: Affected) -> Text:
    certificate = one.certificate
    return text(
        "standard.line.again" if one.must_be_proven_again else "standard.line.holds",
        application=f"{certificate.application.name} {certificate.application.version}",
        scenario=certificate.scenario.name,
        version=one.version,
        status=Text(code=f"portal.status.{one.status}"),
        serial=certificate.serial[:19],
    )


def _affected_json(one: Affected) -> dict[str, object]:
    return {
        "serial": one.certificate.serial,
        "application": one.certificate.application.subject,
        "scenario": one.certificate.scenario.subject,
        "status": one.status.value,
        "frozen_with": one.version,
        "must_be_proven_again": one.must_be_proven_again,
        "touched": [
            {"requirement": item.change.name, "change": item.change.kind, "outcome": item.outcome.value}
            for item in one.touched
        ],
    }


def _tell(record: StandardCheck, out: Path | None, as_json: bool) -> None:
    from pilotbase.worker.intake.standard_checks import write_record

    if out is not None:
        write_record(out, record)
    answer(record, as_json, _print_record)


def _print_file(one: CheckedFile) -> None:
    states = {"explicit": _state(one.explicit), "implicit": _state(one.implicit)}
    say(text("standard.line.file", name=one.name, medium=Text(code=f"standard.medium.{one.medium}"), **states))
    if one.lacking:
        say(text("standard.line.lacking", fields=one.lacking))
    for why in one.why:
        say(text("standard.line.why", why=why))


def _print_record(record: StandardCheck) -> None:
    say(text("standard.line.record", kind=record.kind, passed=record.passed, sample=record.sample))
    if record.agreement is not None:
        say(text("standard.line.agreement", kappa=f"{record.agreement:.3f}"))


def _state(state: str) -> Text:
    return Text(code=f"standard.label.{state}")
