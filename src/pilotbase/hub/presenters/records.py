"""Records as pages show them, read as the actor sees them; what organisations and people are called there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pilotbase.catalogue.records import record_of, records_of
from pilotbase.documents.base import Document, Localized, localized
from pilotbase.documents.loading import current_version
from pilotbase.documents.record import CONTENTS, Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import DemandState
from pilotbase.documents.subjects import holder_of, kind_of, name_of, organisation_subject
from pilotbase.documents.texts import Language, Text, make_visible, text
from pilotbase.documents.vocabularies import Role
from pilotbase.documents.world import Tool, World, WorldUse
from pilotbase.hub.acting import RequestActor, language
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import Person
from pilotbase.hub.sentences import language_name
from pilotbase.trial.arena.shelf import world_seen
from pilotbase.worker.base import Base
from pilotbase.worker.demands import count_sites, sites_of
from pilotbase.worker.operations.binding import there
from pilotbase.worker.progress import progress_of
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.journeys import Look, note_looks
from pilotbase.workspace.listings import (
    MAXIMUM_PAGE,
    Listing,
    Page,
    Query,
    count,
    find_listing,
    find_listings,
    list_page,
)
from pilotbase.workspace.store import View

SHOWN: dict[str, type[Document]] = {current_version(one).partition("/")[0]: one for one in CONTENTS.values()}
"""Kinds of documents that a listing shows."""
MOST_COUNTED = 1000
_JOINED = ("demand", "scenario")
"""Kinds of records that may have several sites."""


@dataclass(frozen=True)
class RecordView:
    """A record as one actor sees it: its listing, the document that shows it, and the record where that is seen too.

    Visitors see an open scenario, but not who has had it in hand.
    """

    listing: Listing
    document: Document
    record: Record | None

    @property
    def subject(self) -> str:
        return self.listing.subject

    @property
    def title(self) -> Localized:
        return self.listing.title

    @property
    def name(self) -> str:
        return name_of(self.subject)


def see(view: View, subject: str) -> RecordView:
    """Return a record; raises `NotFoundError`: none such, or none that the actor may see."""
    listing = there(find_listing(view, subject))
    stored = there(view.get(listing.digest))
    return RecordView(listing, stored.load(SHOWN[stored.kind]), record_of(view, subject))


def note_look(acting: RequestActor, look: Look, listing: Listing) -> None:
    """Note the first look of a supplier at a demand of another organisation, for the funnel of the base."""
    if listing.kind in ("demand", "scenario") and acting.has(Role.SUPPLIER) and listing.owner != acting.organisation:
        note_looks(acting.view, look, [(listing.subject, acting.organisation)])


def see_all(view: View, listings: Iterable[Listing]) -> list[RecordView]:
    """Return the records of a list, read at once; one that went out of sight meanwhile is left out."""
    listed = list(listings)
    shown, records = view.get_all([one.digest for one in listed]), records_of(view, [one.subject for one in listed])
    there = ((one, shown[one.digest]) for one in listed if one.digest in shown)
    return [RecordView(one, stored.load(SHOWN[stored.kind]), records.get(one.subject)) for one, stored in there]


@dataclass(frozen=True)
class RecordRow:
    """One line of a list of records."""

    listing: Listing
    record: Record | None
    sites: int = 1
    """Of a demand, with data or in words."""


def lines_of(view: View, listings: Iterable[Listing]) -> list[RecordRow]:
    """Return the lines of a list, with where each record stands for those who see that too, read at once."""
    listed = list(listings)
    records = records_of(view, [one.subject for one in listed])
    sites = count_sites(view) if any(one.kind in _JOINED for one in listed) else {}
    return [RecordRow(one, records.get(one.subject), sites.get(one.subject, 1)) for one in listed]


def sites_shown(view: View, seen: RecordView) -> dict[str, Any]:
    """Return the sites of a demand, with data or in words, or of the one that a trial is about, and what it joins."""
    subject = seen.subject
    if seen.listing.kind == "commission":
        subject = seen.listing.scenario
    if kind_of(subject) not in _JOINED:
        return {}
    joins = seen.listing.scenario if seen.listing.state in (DemandState.JOINING, DemandState.JOINED) else ""
    return {"sites": sites_of(view, subject), "host": holder_of(subject), "joins": joins}


def records_offered(view: View, query: Query, limit: int = 200) -> list[tuple[str, str]]:
    """Return subject and title of the newest records that ``query`` asks for, to be chosen from in a form."""
    return [(one.subject, title_shown(one)) for one in list_page(view, query, limit=limit).items]


def title_shown(listing: Listing) -> str:
    """Return the title of a record in the reader's language, with nothing hidden in it."""
    return make_visible(listing.title.render(language()))


def work_shown(view: View, subject: str) -> dict[str, Any]:
    """Return the newest work on a record, and whether it goes on."""
    job = progress_of(view, subject)
    return {"job": job, "live": job is not None and job.live}


def spelled_count(view: View, query: Query) -> str:
    """Return how many listings ``query`` asks for; a search is counted as far as anybody would read on."""
    most = MOST_COUNTED if query.words else None
    number = count(view, query, most)
    return f"{most}+" if most is not None and number > most else str(number)


_SECONDS = 60
"""A new title is shown everywhere after at most so long: pages ask for the same few names again and again."""


def title_of(name: str, of: Language | None = None) -> str:
    """Return the title of the organisation with this short name in the reader's language; the name where none is.

    A mail has no request: ``of`` is the language of who reads it.
    """
    title = _title(str(base().home.path), name, int(time.monotonic() // _SECONDS)) if name else None
    return make_visible(localized(title, of or language()) if title is not None else name)


@lru_cache(maxsize=4096)
def _title(home: str, name: str, period: int) -> Localized | None:
    """Return the title; ``home`` and ``period`` only tell one base, and one minute, from another."""
    subject, page = organisation_subject(name), _newest(home, period)
    listing = next((one for one in page.items if one.subject == subject), None)
    if listing is None:  # beyond the page, or registered since it was read
        listing = find_listing(operator_view(), subject)
    return None if listing is None else listing.title


@lru_cache(maxsize=1)
def _newest(home: str, period: int) -> Page:
    """Return the newest organisations of a base: a page of many names asks once a minute, not for each name."""
    return list_page(operator_view(), Query(kind="organisation"), limit=MAXIMUM_PAGE)


def titles_of(view: View, subjects: Iterable[str]) -> dict[str, Localized]:
    """Return what the records that the actor sees are called."""
    return {subject: one.title for subject, one in find_listings(view, set(subjects)).items()}


_RECORDS = ("application", "scenario", "demand")
_NAMING = {"application": _RECORDS[:1], "scenario": _RECORDS[1:2], "found": _RECORDS, "nearest": _RECORDS}
"""Value of a sentence that names a record → of which kinds; ``organisation`` names an organisation."""


def with_titles(view: View, sentences: Iterable[Text]) -> list[Text]:
    """Return sentences in which organisations, and the records that the reader sees, are called by their titles."""
    told = list(sentences)
    titles = titles_of(view, (subject for said in told for subject in _all_named(said)))
    return [_with_titles(said, titles) for said in told]


def _all_named(said: Text) -> Iterator[str]:
    for key, value in said.params.items():
        yield from _all_named(value) if isinstance(value, Text) else _named(said, key)


def _with_titles(said: Text, titles: Mapping[str, Localized]) -> Text:
    params = {
        key: _with_titles(value, titles) if isinstance(value, Text) else _called(said, key, titles)
        for key, value in said.params.items()
    }
    return Text(code=said.code, params=params)


def _named(said: Text, key: str) -> tuple[str, ...]:
    name = said.params[key]
    if key not in _NAMING or not isinstance(name, str):
        return ()
    return (name,) if ":" in name else tuple(f"{kind}:{name}" for kind in _NAMING[key])


def _called(said: Text, key: str, titles: Mapping[str, Localized]) -> Any:
    value = said.params[key]
    if key == "organisation" and isinstance(value, str):
        return title_of(value)
    title = next((titles[subject] for subject in _named(said, key) if subject in titles), None)
    return value if title is None else localized(title, language())


def names_shown(actor: Actor, standing: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Return opaque identifier → name of those that ``actor`` may know: colleagues; operator and regulator know all.

    ``standing``: for whom somebody stands there (an organisation), and who.
    """
    known = {person for organisation, person in standing if actor.sees_all or organisation == actor.organisation}
    return dict(Person.objects.filter(identity__in=known - {None}).values_list("identity", "name"))


@dataclass(frozen=True)
class ShownTool:
    """A tool, the names of its arguments, and the classes of acts that its calls may be of."""

    tool: Tool
    arguments: str
    rights: tuple[Text, ...]


@dataclass(frozen=True)
class ShownWorld:
    """A world and, in a scenario, how many episodes it plays; ``world`` is None where only its name is known."""

    use: WorldUse | None
    world: World | None
    tools: tuple[ShownTool, ...] = ()
    arms: tuple[Text, ...] = ()
    languages: tuple[str, ...] = ()


def world_shown(base: Base, scenario: Scenario) -> ShownWorld | None:
    """Return the world of a scenario that the actor sees; None: it has a table."""
    if scenario.world is None:
        return None
    world = world_seen(base.lab.view, scenario)
    return ShownWorld(scenario.world, None) if world is None else world_described(world, scenario.world)


def world_described(world: World, use: WorldUse | None = None) -> ShownWorld:
    """Return a world with its tools, arms and languages in words."""
    arms = tuple(text(f"measure.under.{arm.value}") for arm in world.arms)
    tools = tuple(_tool(world, tool) for tool in world.tools)
    return ShownWorld(use, world, tools, arms, tuple(map(language_name, world.languages)))


def _tool(world: World, tool: Tool) -> ShownTool:
    rights = []
    for name, acts in world.acts.items():
        if tool.name in acts.tools:
            code = "hub.world.right" if acts.where is None else "hub.world.right_where"
            rights.append(text(code, acts=name, right=text(f"world.right.{acts.right.value}")))
    return ShownTool(tool, ", ".join(tool.input_schema.get("properties", {})), tuple(rights))
