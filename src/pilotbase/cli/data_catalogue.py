"""``pilotbase data``: the catalogue of datasets, what came of them and who has read them; here or on a hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilotbase.cli.framework.declared import Command, OptionSpelling, call
from pilotbase.cli.framework.driving import named, remote
from pilotbase.cli.framework.terminal import AsJson, answer, language, say
from pilotbase.documents.base import localized
from pilotbase.documents.lifecycles import state_name
from pilotbase.documents.moments import format_day, format_minute
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.operations import datasets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilotbase.documents.api.datasets import (
        Contribution,
        Contributions,
        DatasetPage,
        DatasetVersion,
        FacetCount,
        FoundDataset,
        Readers,
        ReadingTold,
    )
    from pilotbase.operations.operation import Operation


@remote
def versions(name: str, since: str = "", as_json: AsJson = False) -> None:
    """List the versions of a dataset that you may see, and what each changed."""
    found = call(datasets.VERSIONS, **named(name), since=since)
    if since and not found[0].changed and not as_json:
        say(text("dataset.nothing_changed"))
    answer(found, as_json, _print_versions)


def _print_versions(found: list[DatasetVersion]) -> None:
    for one in found:
        say(text("dataset.version_line", version=one.version, modified=one.modified or "–", rows=one.rows))
        for change in (*one.changed, *([text("dataset.new_form")] if one.new_form else ())):
            say(text("dataset.change_line", change=change))


@remote
def grade(report: Path) -> None:
    """Publish a quality report on your dataset, without anything that would reveal closed data."""
    from pilotbase.documents.loading import load_document
    from pilotbase.documents.quality import QualityReport

    found = load_document(QualityReport, report)
    shown = call(datasets.GRADE, **named(found.dataset), sent=found)
    outcome = text(f"outcome.{shown.grade.outcome}")
    say(text("facet.published", dataset=shown.dataset, version=shown.version, outcome=outcome))


def readers(operation: Operation[datasets.Narrowed, Readers]) -> Command:
    """Return the command that lists who has read one of a kind: a dataset, or a scenario's hidden cases."""
    return Command("readers", operation, show=_print_readers, nulls=True)


def _print_page(page: DatasetPage) -> None:
    for one in page.items:
        _print_found(one)
    say(text("facet.total", count=page.total))
    _print_counts("facet.counts", "facet", page.facets)


def _print_contributions(found: Contributions) -> None:
    for one in found.datasets:
        _print_contribution(one)
    for owner in found.owners:
        sums = {name: _number(getattr(owner, name)) for name in ("agreements", "uses", "rows")}
        counts = {name: getattr(owner, name) for name in ("datasets", "scenarios", "certificates", "services")}
        say(text("contribution.owner", owner=owner.owner, **counts, **sums))
    if not found.datasets:
        say(text("facet.total", count=0))


def _print_found(one: FoundDataset) -> None:
    opening, quality = text(f"opening.{one.opening}"), text(f"outcome.{one.quality}")
    said = {"title": localized(one.title, language()), "state": state_name("dataset", one.state), "opening": opening}
    say(text("facet.found", name=name_of(one.subject), licence=one.licence or "–", quality=quality, **said))


def _print_contribution(one: Contribution) -> None:
    published = format_day(one.published_at) if one.published_at is not None else "–"
    numbers = {name: _number(getattr(one, name)) for name in ("agreements", "organisations", "uses", "rows")}
    rests = {name: len(getattr(one, name)) for name in ("scenarios", "certificates", "services")}
    said = {"name": name_of(one.dataset), "title": localized(one.title, language()), "published": published}
    say(text("contribution.line", versions=one.versions, **said, **numbers, **rests))
    if one.uses_by:
        spelled = ", ".join(f"{channel} {count}" for channel, count in one.uses_by.items())
        say(text("contribution.by", counts=spelled))


def _number(told: int | None) -> str:
    return "–" if told is None else str(told)


def _print_counts(line: str, named: str, facets: Mapping[Any, Sequence[FacetCount]]) -> None:
    for facet, counts in facets.items():
        if counts:
            spelled = ", ".join(f"{one.value} {one.count}" for one in counts)
            say(text(line, facet=Text(code=f"{named}.{facet}"), counts=spelled))


def _print_readers(found: Readers) -> None:
    for one in found.items:
        _print_reading(one)
    say(text("reader.total", count=found.total, size=found.size))
    _print_counts("reader.counts", "reader.facet", found.facets)
    if found.next is not None:
        say(text("reader.older", number=found.next))


def _print_reading(one: ReadingTold) -> None:
    what = Text(code=f"reader.kind.{one.kind}")
    if one.what or one.reason:
        of = Text(code=f"reader.what.{one.what}" if one.what else f"reader.reason.{one.reason}")
        what = text("reader.of", kind=what, what=of)
    why = Text(code=f"reader.step.{one.step}") if one.step else one.channel or "–"
    amount = text("reader.row_count", rows=one.rows) if one.rows else format_bytes(one.size) if one.size else "–"
    said = {"at": format_minute(one.at), "organisation": one.organisation, "what": what, "why": why}
    say(text("reader.line", number=one.number, amount=amount, **said))


COMMANDS = (
    Command(
        "list",
        datasets.SEARCH,
        show=_print_page,
        nulls=True,
        spelled={"q": OptionSpelling(positional=True, flag="[WORDS]", default="")},
        without=("after", "limit"),
    ),
    Command(
        "contributions",
        datasets.CONTRIBUTIONS,
        show=_print_contributions,
        nulls=True,
        spelled={"owner": OptionSpelling(positional=True, flag="[ORGANISATION]", default="")},
    ),
    readers(datasets.READERS),
)
