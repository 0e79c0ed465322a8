"""A trial in a store with somebody who makes notices of it: on SQLite and on PostgreSQL."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from pilotbase.documents.notice import Recipient
from pilotbase.notices.rows import list_notices
from pilotbase.protocols.guarded_http import GuardedHttp
from pilotbase.worker.reactions.noticing import Noticing, Ways
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.store import Store
from tests.catalogue.conftest import any_store, store
from tests.catalogue.records_for_tests import Trial

__all__ = ["any_store", "store"]


@dataclass
class Postbox:
    """Takes mails as the hub would; ``broken`` ones do not go out."""

    store: Store
    everybody: list[Recipient] = field(default_factory=list)
    sent: list[tuple[str, list[str], str]] = field(default_factory=list)
    broken: int = 0

    def people(self):
        return self.everybody

    def send(self, letter):
        if self.broken:
            self.broken -= 1
            raise ConnectionRefusedError
        person = next(one.person for one in self.everybody if one.mail == letter.to)
        self.sent.append((person, self._acts(letter.body), letter.identity))

    def _acts(self, body: str) -> list[str]:
        """Return what the notices to which a mail leads are about."""
        with self.store.database.read() as connection:
            rows = connection.execute(select(tables.notices.c.identity, tables.notices.c.body)).all()
        acts = {row.identity: json.loads(row.body).get("act") for row in rows}
        return [acts[identity] for identity in re.findall(r"/notices/([0-9a-f]{32})/", body)]


@dataclass
class Told:
    """A trial and who is told of it."""

    trial: Trial
    noticing: Noticing
    post: Postbox
    _heard: set[tuple[str | None, str]] = field(default_factory=set)

    @property
    def store(self) -> Store:
        return self.trial.store

    def view(self, who: Actor):
        return self.store.as_actor(who)

    def round(self) -> None:
        while self.noticing.tell_changes():
            pass
        self.noticing.tell_due_dates()

    def news(self, who: Actor) -> list[str]:
        """What a person is told that they had not been told when last asked, oldest first."""
        found = []
        for notice in reversed(list_notices(self.view(who))[0]):
            key = (who.person, notice.identity)
            if key not in self._heard:
                self._heard.add(key)
                found.append(f"{notice.kind} {notice.body.act}".strip())
        return found

    def letters(self, people: dict[str, Actor]) -> str:
        return "".join(letter for letter, who in people.items() if self.news(who))


def _told(store: Store, folder: Path) -> Told:
    lab = SimpleNamespace(view=store.as_actor(Actor("base", frozenset({"operator"}))))
    base = SimpleNamespace(
        lab=lab, trust=SimpleNamespace(issuer="base"), home=SimpleNamespace(keys=KeyFolder(folder / "keys"))
    )
    post = Postbox(store)
    return Told(Trial(store), Noticing(base, Ways(post, GuardedHttp(("127.0.0.1",), seconds=2))), post)


@pytest.fixture
def any_told(any_store: Store, tmp_path: Path) -> Iterator[Told]:
    return _told(any_store, tmp_path)


@pytest.fixture
def told(store: Store, tmp_path: Path) -> Told:
    return _told(store, tmp_path)


def calling(told: Told, http: GuardedHttp) -> Noticing:
    """The same, calling webhooks by another client."""
    return Noticing(told.noticing.base, replace(told.noticing.ways, http=http))
