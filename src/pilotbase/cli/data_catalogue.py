"""``pilotbase data``: the catalogue of datasets and what came of them, of this home or of a hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.asking import named
from pilotbase.cli.edge.declared import call
from pilotbase.cli.edge.driving import remote
from pilotbase.cli.edge.terminal import language, print_json, say
from pilotbase.documents.base import localized
from pilotbase.documents.lifecycles import state_name
from pilotbase.documents.moments import format_day
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.operations import datasets

if TYPE_CHECKING:
    from pilotbase.documents.api.datasets import Contribution, DatasetPage, FoundDataset

AsJson = Annotated[bool, typer.Option("--json", help="Print the document.")]


@remote
def list_datasets(  # noqa: PLR0913 - each is an option
    words: Annotated[str, typer.Argument(help="Words to find, English or Chinese.")] = "",
    sector: Annotated[str, typer.Option(help="Only of this sector, such as healthcare.")] = "",
    opening: Annotated[str, typer.Option(help="Only so far opened: open, on_terms, compute_to_data.")] = "",
    licence: Annotated[str, typer.Option(help="Only under this licence, such as CC-BY-4.0.")] = "",
    language_of: Annotated[str, typer.Option("--language", help="Only in this language, such as zh.")] = "",
    labels: Annotated[str, typer.Option(help="yes: only with labels; no: only without.")] = "",
    quality: Annotated[str, typer.Option(help="Only of this quality: pass, fail, inconclusive, not_measured.")] = "",
    state: Annotated[str, typer.Option(help="Only in this state, such as published.")] = "",
    as_json: AsJson = False,
) -> None:
    """List datasets, newest first, and how many there are of each sector, opening, licence and so on."""
    narrowed = {"sector": sector, "opening": opening, "licence": licence, "language": language_of}
    page = call(datasets.SEARCH, q=words, **narrowed, labels=labels, quality=quality, state=state)
    if as_json:
        print_json(page.model_dump(mode="json"))
        return
    for one in page.items:
        _print_found(one)
    say(text("facet.total", count=page.total))
    _print_facets(page)


@remote
def contributions(
    organisation: Annotated[str, typer.Argument(help="Only what this organisation gave.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell who gave which data, how often they were used, and what rests on them."""
    found = call(datasets.CONTRIBUTIONS, owner=organisation)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for one in found.datasets:
        _print_contribution(one)
    for owner in found.owners:
        sums = {name: _number(getattr(owner, name)) for name in ("agreements", "uses", "rows")}
        counts = {name: getattr(owner, name) for name in ("datasets", "scenarios", "certificates", "services")}
        say(text("contribution.owner", owner=owner.owner, **counts, **sums))
    if not found.datasets:
        say(text("facet.total", count=0))


@remote
def versions(
    name: Annotated[str, typer.Argument(help="The dataset, such as plant/readings.")],
    since: Annotated[str, typer.Option(help="Only what changed from this version to the newest, such as 1.0.0.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the versions of a dataset that you may see, and what each changed."""
    found = call(datasets.VERSIONS, **named(name), since=since)
    if as_json:
        print_json([one.to_json_value() for one in found])
        return
    if since and not found[0].changed:
        say(text("dataset.nothing_changed"))
    for one in found:
        say(text("dataset.version_line", version=one.version, modified=one.modified or "–", rows=one.rows))
        for change in (*one.changed, *([text("dataset.new_form")] if one.new_form else ())):
            say(text("dataset.change_line", change=change))


@remote
def grade(
    report: Annotated[Path, typer.Argument(help="quality.json, as `pilotbase data quality --out` writes it.")],
) -> None:
    """Publish a quality report on your dataset: what closed data may not tell is cut off it."""
    from pilotbase.documents.loading import load_document
    from pilotbase.documents.quality import QualityReport

    found = load_document(QualityReport, report)
    shown = call(datasets.GRADE, **named(found.dataset), report=found)
    outcome = text(f"outcome.{shown.grade.outcome}")
    say(text("facet.published", dataset=shown.dataset, version=shown.version, outcome=outcome))


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


def _print_facets(page: DatasetPage) -> None:
    for facet, counts in page.facets.items():
        if counts:
            spelled = ", ".join(f"{one.value} {one.count}" for one in counts)
            say(text("facet.counts", facet=Text(code=f"facet.{facet}"), counts=spelled))
