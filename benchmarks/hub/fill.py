"""Fill a store by casting moulds: the rows that the real path writes, inserted many thousands at a time.

Which record belongs to whom: organisation ``o0001`` and so on; the first half are demand owners, the rest suppliers.
Half of the scenarios are open, so a demand owner sees those and their own: about half. An application is visible to its
supplier, and to the owners to whom a trial is proposed.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.hub.accounts import MINISTRY
from benchmarks.hub.content import (
    MODEL_PROSE,
    PROSE,
    SECTORS,
    Steps,
    application_steps,
    capability_steps,
    commission_steps,
    demand_steps,
    mould_of,
    organisation_steps,
    prose,
    scenario_steps,
)
from benchmarks.hub.loading import loading, settle
from benchmarks.hub.moulds import Mould, Words, differences
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace import schema, text_index
from pilotbase.workspace.engine import Database
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

_STATES = ("open", "open", "open", "open", "open", "draft", "draft", "review", "closed", "closed")
_AT_ONCE = 2000
_EVERY = 9
"""On every ninth open scenario, a trial is proposed."""
_NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How much the store contains."""

    scenarios: int = 100_000
    applications: int = 100_000
    commissions: int = 5_000
    organisations: int = 1_000
    demands: int = 0
    """In words."""
    capabilities: int = 0

    def owner(self, number: int) -> str:
        return f"o{number % (self.organisations // 2):04}"

    def state(self, number: int) -> str:
        """Return the state of a scenario: all states occur among each owner's."""
        return _STATES[(number * 7 + number // (self.organisations // 2)) % len(_STATES)]

    def supplier(self, number: int) -> str:
        return f"o{self.organisations // 2 + number % (self.organisations // 2):04}"


class Moulds:
    """The moulds of everything that is cast, taken in a small separate store."""

    def __init__(self, store: Store) -> None:
        self.organisations = {
            role: mould_of(store, organisation_steps(f"zz{role.value}".replace("_", ""), role))
            for role in (Role.DEMAND_OWNER, Role.SUPPLIER, Role.REGULATOR)
        }
        ways = {state: scenario_steps(_scenario(f"zz{state}"), state) for state in dict.fromkeys(_STATES)}
        self.scenarios = {state: mould_of(store, steps) for state, steps in ways.items()}
        self.applications = mould_of(store, application_steps(_application("zzmodel"), "submitted"))
        self.demands = mould_of(store, demand_steps(_scenario("zzwords")))
        self.capabilities = mould_of(store, capability_steps(_application("zzwork")))
        opened, submitted = self.contents(_scenario("zzopen"), _application("zzmodel"))
        self.commissions = mould_of(store, commission_steps(_commission("zzopen", "zzmodel", opened, submitted)))

    def contents(self, scenario: Words, application: Words) -> tuple[str, str]:
        """Return the digests of an open scenario and of an application version with these words."""
        return _content(self.scenarios["open"], scenario), _content(self.applications, application)


def fill(url: str, moulds: Moulds, size: Size) -> None:
    """Cast everything into the store at ``url``, which is almost empty."""
    with loading(url) as load:
        position, rows = load.position(), defaultdict(list)
        for number, (mould, words) in enumerate(_everything(moulds, size)):
            for table, row in mould.cast(words, position):
                rows[table].append(row)
            position += mould.length
            if number % _AT_ONCE == _AT_ONCE - 1:
                load.insert(rows)
                rows.clear()
        load.insert(rows)
    database = Database(url)
    with database.write() as connection:
        text_index.rebuild(connection)
    database.close()
    settle(url)


def small_store(folder: Path) -> Store:
    """Return an empty store in ``folder``, with a stopped clock."""
    url = f"sqlite:///{folder / 'moulds.db'}"
    database = Database(url)
    schema.upgrade(database)
    database.close()
    return Store.open(url, LogKey(Ed25519PrivateKey.generate()), lambda: _NOW)


def take_moulds() -> Moulds:
    """Return all moulds; raises `AssertionError` if a cast differs from what the real path writes for its words."""
    with tempfile.TemporaryDirectory() as scratch:
        store = small_store(Path(scratch))
        moulds = Moulds(store)
        for mould, steps in _again(moulds):
            found = differences(store, mould, steps.words, lambda steps=steps: steps.take(store))  # type: ignore[misc]
            assert found == [], found
        store.close()
    return moulds


def _again(moulds: Moulds) -> Iterator[tuple[Mould, Steps]]:
    """Yield each mould with the real path for other words."""
    randomness = random.Random(1)
    yield moulds.organisations[Role.SUPPLIER], organisation_steps("o0999", Role.SUPPLIER)
    scenario = application = {}
    for number, state in enumerate(dict.fromkeys(_STATES)):
        scenario = {**_scenario_words(randomness, number, Size()), "name": f"s-{state}"}
        yield moulds.scenarios[state], scenario_steps(scenario, state)
        if state == "open":
            opened = scenario
    application = _application_words(randomness, 7, Size())
    yield moulds.applications, application_steps(application, "submitted")
    yield moulds.commissions, commission_steps(_commission_words(moulds, 1, opened, application))
    yield moulds.demands, demand_steps(_scenario_words(randomness, 8, Size()))
    yield moulds.capabilities, capability_steps({**_application_words(randomness, 9, Size()), "supplier": "o0999"})


def _everything(moulds: Moulds, size: Size) -> Iterator[tuple[Mould, Words]]:
    for number in range(size.organisations):
        role = Role.DEMAND_OWNER if number < size.organisations // 2 else Role.SUPPLIER
        yield moulds.organisations[role], {"name": f"o{number:04}"}
    yield moulds.organisations[Role.REGULATOR], {"name": MINISTRY}
    randomness = random.Random(0)
    proposed: list[tuple[Words, Words]] = []
    for number in range(max(size.scenarios, size.applications)):
        scenario, application = _scenario_words(randomness, number, size), _application_words(randomness, number, size)
        state = size.state(number)
        if number < size.scenarios:
            yield moulds.scenarios[state], scenario
        if number < size.applications:
            yield moulds.applications, application
        if state == "open" and number % _EVERY == 0 and len(proposed) < size.commissions:
            proposed.append((scenario, application))
    for number in range(size.demands):
        yield moulds.demands, _scenario_words(randomness, number, size)
    for number in range(size.capabilities):
        yield moulds.capabilities, _application_words(randomness, number, size)
    for number, (scenario, application) in enumerate(proposed):
        yield moulds.commissions, _commission_words(moulds, number, scenario, application)


def _scenario(name: str) -> Words:
    return {**PROSE, "name": name, "owner": "zzowner", "person": "zzperson", "sector": "manufacturing"}


def _application(name: str) -> Words:
    folder = f"sha256:{'7f' * 32}"
    return {**MODEL_PROSE, "name": name, "supplier": "zzsupplier", "person": "zzmaker", "folder": folder}


def _commission(scenario: str, application: str, opened: str, submitted: str) -> Words:
    return {
        "name": "zztrial",
        "scenario": scenario,
        "application": application,
        "owner": "zzowner",
        "supplier": "zzsupplier",
        "person": "zzmaker",
        "sector": "manufacturing",
        "scenario_version": opened,
        "application_version": submitted,
        "folder": f"sha256:{'7f' * 32}",
        **_both_titles(PROSE, MODEL_PROSE),
    }


def _both_titles(scenario: Words, application: Words) -> Words:
    titles = {gap: scenario[gap] for gap in ("title_en", "title_zh")}
    return {**titles, "model_en": application["title_en"], "model_zh": application["title_zh"]}


def _content(mould: Mould, words: Words) -> str:
    """Return the digest of the first document of a cast: the one that was handed in first."""
    return "sha256:" + hashlib.sha256((mould.documents[0][1] % words).encode()).hexdigest()


def _scenario_words(randomness: random.Random, number: int, size: Size) -> Words:
    owner = size.owner(number)
    told = {"name": f"s{number}", "owner": owner, "person": f"p-{owner}", "sector": randomness.choice(SECTORS)}
    return {**prose(randomness, number), **told}


def _application_words(randomness: random.Random, number: int, size: Size) -> Words:
    supplier, folder = size.supplier(number), f"sha256:{number:064x}"
    told = {"name": f"a{number}", "supplier": supplier, "person": f"p-{supplier}", "folder": folder}
    return {**prose(randomness, number), **told}


def _commission_words(moulds: Moulds, number: int, scenario: Words, application: Words) -> Words:
    opened, submitted = moulds.contents(scenario, application)
    return {
        "name": f"{number:016x}",
        "scenario": scenario["name"],
        "application": application["name"],
        "owner": scenario["owner"],
        "supplier": application["supplier"],
        "person": application["person"],
        "sector": scenario["sector"],
        "scenario_version": opened,
        "application_version": submitted,
        "folder": application["folder"],
        **_both_titles(scenario, application),
    }
