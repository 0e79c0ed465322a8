"""A hub with people of many organisations, on SQLite and on PostgreSQL, in this process: Django has one a process."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Result
from pilotbase.workspace.actors import PUBLIC, parties
from tests.catalogue.records_for_tests import COMMISSION, MACHINE, Trial, certificate

PASSWORD = "correct horse battery staple"
PEOPLE = {
    "desk": ("base", "operator"),
    "planner": ("base", "operator"),
    "signer": ("base", "operator"),
    "owner": ("plant", "demand_owner"),
    "supplier": ("acme", "supplier"),
    "reviewer": ("institute", "reviewer"),
    "regulator": ("ministry", "regulator"),
    "other-owner": ("hospital", "demand_owner"),
    "other-supplier": ("globex", "supplier"),
    "other-reviewer": ("academy", "reviewer"),
    "stranger": ("", ""),
}
"""Person → organisation and role; a stranger has an account and belongs to nobody."""


class FixedClock:
    """The time at which the records of a world are made."""

    def __call__(self) -> datetime:
        return datetime(2026, 5, 1, 12, tzinfo=UTC)


def start_django(folder: Path) -> None:
    """Make a home in ``folder`` and start Django on it, once a process; later worlds move its databases."""
    if "DJANGO_SETTINGS_MODULE" in os.environ:
        return
    os.environ |= {
        "PILOTBASE_HOME": str(folder / "home"),
        "DJANGO_SETTINGS_MODULE": "pilotbase.hub.settings",
        "PILOTBASE_HUB_LOG": "plain",
    }
    from pilotbase.worker.base import open_base

    open_base(create=True, name="base")
    import django

    django.setup(set_prefix=False)
    from django.conf import settings

    # A test logs in hundreds of times: a cheap hash, and mail and throttling where the test sees them.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.ALLOWED_HOSTS = ["*"]
    _look_for_static_files_once()
    _wait_for_no_disk()


def _look_for_static_files_once() -> None:
    """Every client of a test has middleware of its own, and each would read all static files anew."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    files: dict[str, object] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def remember(middleware: WhiteNoiseMiddleware) -> None:
        if not files:
            look(middleware)
            files.update(middleware.files)
        middleware.files.update(files)

    WhiteNoiseMiddleware.add_files_from_finders = remember


def _wait_for_no_disk() -> None:
    """The accounts' database as `unhurried_disk` has the store's."""
    from django.db.backends.signals import connection_created

    def hurry(connection: object, **_: object) -> None:
        if connection.vendor == "sqlite":
            connection.cursor().execute("PRAGMA synchronous=OFF")

    connection_created.connect(hurry, weak=False)


class SignedTrial(Trial):
    """A trial whose report has a supplier's view, and whose certificate is signed by the base."""

    def finish(self) -> None:
        self.report = self.report.model_copy(update={"counts": {"cases": 1000, "answered": 1000, "scored": 900}})
        super().finish()
        with self.store.as_actor(MACHINE).transaction("trial.reported") as change:
            change.put(self.report.supplier_view(), parties(), owner="acme", fields={"full": self.report.digest()})

    def issue(self) -> None:
        from pilotbase.certificate.issuing import sign_certificate
        from pilotbase.certificate.status import IssuedCertificate
        from pilotbase.hub.base import base

        now, trust = datetime.now(UTC), base().trust
        stated = certificate(self.report).certificate.model_copy(
            update={"issued_at": now, "expires_at": trust.expiry(now)}
        )
        self.certificate = IssuedCertificate(certificate=stated, envelope=sign_certificate(stated, trust))
        with self.store.as_actor(MACHINE).transaction("certificate.issued") as change:
            digest = change.put(self.certificate, PUBLIC, fields={"serial": stated.serial})
            change.set_head(f"certificate:{stated.report}", digest, expected=None)
        self.do(MACHINE, COMMISSION, Act.CERTIFICATE_ISSUE, Result(made=digest))


@dataclass
class World:
    """One hub: its base, its people, the walk of one trial."""

    trial: Trial
    people: dict[str, object] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    middleware: object = None

    def client(self, who: str | None = None, **options: object):
        """A browser, logged in as a person of `PEOPLE`; None: a visitor.

        Browsers without options of their own share the middleware, and a person's share a session while it lasts:
        to log in takes longer than most pages.
        """
        from django.conf import settings
        from django.contrib.sessions.backends.db import SessionStore
        from django.test import Client

        client = Client(**options)
        if not options:
            self.middleware = client.handler = self.middleware or client.handler
        key = self.sessions.get(who, "")
        if key and SessionStore().exists(key):
            client.cookies[settings.SESSION_COOKIE_NAME] = key
        elif who is not None:
            client.force_login(self.people[who], backend="allauth.account.auth_backends.AuthenticationBackend")
            self.sessions[who] = client.cookies[settings.SESSION_COOKIE_NAME].value
        return client


@contextmanager
def world(folder: Path, postgres_url: str | None = None) -> Iterator[World]:
    """A fresh world; ``postgres_url`` is an empty database with the store's tables."""
    start_django(folder)
    with _base_in(folder, postgres_url):
        _prepare_accounts(postgres_url)
        from pilotbase.hub.base import base

        store = replace(base().lab.store, clock=FixedClock())
        made = World(SignedTrial(store))
        made.people = {name: _person(name, *belongs) for name, belongs in PEOPLE.items()}
        for organisation, role in dict.fromkeys(PEOPLE.values()):
            if organisation:
                made.trial.register(organisation, _role(role))
        yield made


@contextmanager
def _base_in(folder: Path, postgres_url: str | None) -> Iterator[None]:
    """Let this process serve another home, and Django another database, until the end of the block."""
    from django.db import connections

    from pilotbase.hub.base import base
    from pilotbase.hub.configuration import HubConfiguration, django_database
    from pilotbase.worker.base import open_base
    from pilotbase.workspace.home import HomeSettings, init_home

    before = os.environ["PILOTBASE_HOME"]
    home = folder / "world"
    shutil.rmtree(home, ignore_errors=True)
    os.environ["PILOTBASE_HOME"] = str(home)
    init_home(home, HomeSettings(store_url=postgres_url))
    base.cache_clear()
    open_base(create=True, name="base")
    wanted = django_database(HubConfiguration.from_environment(), postgres_url)
    _connect(connections, wanted)
    try:
        yield
    finally:
        connections.close_all()
        base().lab.store.close()
        base.cache_clear()
        os.environ["PILOTBASE_HOME"] = before


def _connect(connections: object, wanted: dict[str, object]) -> None:
    connections.close_all()
    connections.settings["default"].update(connections.configure_settings({"default": wanted})["default"])
    if hasattr(connections._connections, "default"):
        del connections["default"]


def _prepare_accounts(postgres_url: str | None) -> None:
    from django.core.cache import cache
    from django.core.management import call_command
    from django.db import connection

    cache.clear()
    if postgres_url is not None and "hub_person" in connection.introspection.table_names():
        call_command("flush", verbosity=0, interactive=False)
        return
    template = Path(os.environ["PILOTBASE_HOME"]).parent.parent / "accounts-template.db"
    if postgres_url is None and template.exists():
        shutil.copyfile(template, connection.settings_dict["NAME"])
        return
    call_command("migrate", verbosity=0, interactive=False)
    if postgres_url is None:
        connection.close()
        shutil.copyfile(connection.settings_dict["NAME"], template)


def _person(name: str, organisation: str, role: str) -> object:
    from allauth.account.models import EmailAddress

    from pilotbase.hub.models import Membership, Person

    person = Person(identity=f"p-{name}", email=f"{name}@example.org", name=name.replace("-", " ").title())
    person.set_password(PASSWORD)
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    if organisation:
        first = not Membership.objects.filter(organisation=organisation).exists()
        Membership.objects.create(person=person, organisation=organisation, roles=[role], manages=first)
    return person


def _role(name: str):
    from pilotbase.documents.vocabularies import Role

    return Role(name)


sys.path.insert(0, str(Path(__file__).parents[1] / "workspace"))
Postgres = Callable[[], str]
