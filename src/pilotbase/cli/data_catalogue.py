"""``pilotbase data``: the catalogue of datasets, what came of them and who has read them; here or on a hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.declared import call
from pilotbase.cli.edge.driving import named, remote
from pilotbase.cli.edge.terminal import AsJson, language, print_json, say
from pilotbase.documents.base import localized
from pilotbase.documents.lifecycles import state_name
from pilotbase.documents.moments import format_day, format_minute
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ReadingKind
from pilotbase.operations import datasets

if TYPE_CHECKING:
    from pilotbase.documents.api.datasets import Contribution, DatasetPage, FoundDataset, Readers, ReadingTold


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


def reader(kind: str) -> Callable[..., None]:
    """Return the command that lists who has read one of a kind: a dataset, or a scenario's hidden cases."""

    @remote
    def readers(  # noqa: PLR0913 - each is an option
        name: Annotated[str, typer.Argument(help="Such as plant/milling.")],
        what: Annotated[
            ReadingKind | None, typer.Option("--kind", help="Only what was opened, used (let in), refused.")
        ] = None,
        organisation: Annotated[str, typer.Option(help="Only for this organisation.")] = "",
        channel: Annotated[str, typer.Option(help="Only by this way out, such as pb:download.")] = "",
        before: Annotated[int | None, typer.Option(help="Only entries of the log below this number.", min=0)] = None,
        limit: Annotated[int, typer.Option(help="At most so many lines.", min=1, max=200)] = 50,
        as_json: AsJson = False,
    ) -> None:
        """List who has read what is yours, when, for what, by which way: each line is an entry of the log."""
        read = datasets.READERS if kind == "dataset" else datasets.SCENARIO_READERS
        narrowed = {"kind": what, "organisation": organisation, "channel": channel, "before": before, "limit": limit}
        _print_readers(call(read, **named(name), **narrowed), as_json)

    return readers


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


def _print_readers(found: Readers, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for one in found.items:
        _print_reading(one)
    say(text("reader.total", count=found.total, size=found.size))
    for facet, counts in found.facets.items():
        if counts:
            spelled = ", ".join(f"{one.value} {one.count}" for one in counts)
            say(text("reader.counts", facet=Text(code=f"reader.facet.{facet}"), counts=spelled))
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
