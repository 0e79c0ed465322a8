"""A base with a service in two certified versions, whose watch raises warnings, and who reacts to them."""

import contextlib
import copy
import sqlite3
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

from pilotbase.catalogue.records import load_record
from pilotbase.certificate.issuing import sign_certificate
from pilotbase.certificate.status import IssuedCertificate, RevocationList
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Result
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.documents.watch import RiskWarning
from pilotbase.notices.rows import list_notices
from pilotbase.service.standing import history_of, standing_of
from pilotbase.watch.incidents import list_incidents
from pilotbase.worker.reactions.feed import Reactions
from pilotbase.workspace.actors import PUBLIC, parties
from pilotbase.workspace.engine import Database
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.store import Store
from tests.catalogue.records_for_tests import COMMISSION, DESK, MACHINE, OWNER, Trial, certificate
from tests.service.services_for_tests import Served


class Killed(BaseException):
    """The worker is gone: nothing catches it."""


class IssuingTrial(Trial):
    """A trial whose certificate is signed as a base signs it."""

    def __init__(self, store: Store, served: Served) -> None:
        super().__init__(store)
        self.served = served

    def issue(self) -> None:
        now, trust = self.store.clock(), self.served.trust
        stated = certificate(self.report).certificate.model_copy(
            update={"issued_at": now, "expires_at": trust.expiry(now)}
        )
        issued = IssuedCertificate(certificate=stated, envelope=sign_certificate(stated, trust))
        with self.store.as_actor(MACHINE).transaction("certificate.issued") as change:
            self.issued = change.put(issued, PUBLIC, fields={"serial": stated.serial})
            change.set_head(f"certificate:{stated.report}", self.issued, expected=None)
        self.do(MACHINE, COMMISSION, Act.CERTIFICATE_ISSUE, Result(made=self.issued))


class Watched:
    """A service, and the reactions of one worker."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.served = store, Served(store, folder)
        self.view = self.served.view
        lab = SimpleNamespace(view=self.view)
        home = SimpleNamespace(keys=KeyFolder(folder / "keys"))
        self.base = SimpleNamespace(
            lab=lab, trust=self.served.trust, home=home, revocations=folder / "revocations.json"
        )
        self.worker = Reactions(self.base)
        self.now = store.clock

    @classmethod
    def over(cls, base) -> "Watched":
        """The same over a real base in its home."""
        made = cls.__new__(cls)
        made.served = Served.__new__(Served)
        made.served.store, made.served.folder, made.served.trust = base.lab.store, base.home.path, base.trust
        made.served.view = made.view = base.lab.view
        made.store, made.base, made.now = base.lab.store, base, base.lab.store.clock
        made.worker = Reactions(base)
        return made

    def copied_to(self, folder: Path) -> "Watched":
        """The same base once more, on a copy of its SQLite store."""
        source = sqlite3.connect(self.store.database.place)
        folder.mkdir()
        with contextlib.closing(source), contextlib.closing(sqlite3.connect(folder / "copy.db")) as target:
            source.backup(target)
        other = copy.copy(self)
        other.store = Store.open(f"sqlite:///{folder / 'copy.db'}", self.store.key, self.store.clock)
        other.view = other.store.as_actor(self.view.actor)
        home, lab = self.base.home, SimpleNamespace(view=other.view)
        other.base = SimpleNamespace(lab=lab, trust=self.base.trust, home=home, revocations=folder / "list.json")
        other.worker = Reactions(other.base)
        return other

    def two_versions(self, ask_human: bool = False) -> None:
        self.served.serve(self.served.certify("2.0.0"), self.served.certify("1.0.0"), ask_human=ask_human)

    def of_trial(self) -> IssuingTrial:
        """Serve what a trial on the hub has certified, before an earlier version."""
        trial = IssuingTrial(self.store, self.served)
        trial.reach("certified")
        first = self.served.route(trial.issued).model_copy(update={"commission": COMMISSION})
        service = self.served.serve(trial.issued, self.served.certify("1.0.0"))
        changed = service.model_copy(update={"routes": (first, *service.routes[1:])})
        with self.view.transaction("service.changed") as change:
            kept = change.put(changed, parties("acme"), owner="plant", fields={"service": "milling"})
            change.set_head("service:milling", kept, expected=service.digest())
        return trial

    def warn(self, colour: Colour = Colour.RED, detector: str = "risk:recall", **more) -> RiskWarning:
        """Let the watch raise a warning now."""
        now = self.now()
        given = {
            "service": "milling",
            "signal": Signal.RISK,
            "seen_to": 400,
            "began": now - timedelta(seconds=1),
            "at": now,
            **more,
        }
        warning = RiskWarning(
            detector=detector,
            colour=colour,
            reason=text("colour.red"),
            promise=text("colour.green"),
            **given,
        )
        self.store_warning(warning)
        return warning

    def store_warning(self, warning: RiskWarning) -> None:
        head = f"warning:{warning.service}/{warning.detector}"
        with self.view.transaction("watch.warned") as change:
            kept = change.put(warning, parties(), owner="plant", fields={"service": warning.service})
            change.set_head(head, kept, expected=self.view.within(change).head(head))

    def react(self) -> None:
        while self.worker.round():
            pass

    def react_from_the_start(self) -> None:
        """Deliver the whole feed again, as after a restored backup of the reader's place."""
        with self.store.database.write() as connection:
            connection.exec_driver_sql("UPDATE positions SET value = 0 WHERE name = 'reactions'")
        self.react()

    @property
    def standing(self) -> tuple[str, int]:
        found = standing_of(self.view, "milling")
        return found.state.value, found.route

    @property
    def moves(self) -> list[tuple[str, int]]:
        """Where the service has stood, oldest first."""
        return [(one.state.value, one.route) for one in reversed(history_of(self.view, "milling"))]

    @property
    def incident(self):
        (found,) = list_incidents(self.view)
        return found

    def lines(self) -> list[str]:
        return [line.what.code.partition(".")[2] for line in self.incident.timeline]

    def suspended(self) -> int:
        head = self.view.head("revocations")
        return len(self.view.load(head, RevocationList).suspended) if head else 0

    def record(self):
        return load_record(self.view, COMMISSION)[0]

    def told(self, who) -> list[str]:
        notices = list_notices(self.store.as_actor(who))[0]
        return [one.body.said.code.partition(".")[2] for one in reversed(notices) if one.body.said is not None]

    def outcome(self) -> dict[str, object]:
        """Everything that anybody would notice of what was done."""
        incidents = list_incidents(self.view)
        return {
            "moves": self.moves,
            "incidents": [[line.what.code for line in one.timeline] for one in incidents],
            "suspended": self.suspended(),
            "told": [self.told(who) for who in (OWNER, DESK)],
        }


@contextmanager
def killed_after(writes: int):
    """Let the process die when so many transactions were written; yields whether it did."""
    real, seen, happened = Database.write, 0, []

    @contextmanager
    def write(database):
        nonlocal seen
        if seen == writes:
            happened.append(True)
            raise Killed
        with real(database) as connection:
            yield connection
        seen += 1

    Database.write = write
    try:
        yield happened
    finally:
        Database.write = real
