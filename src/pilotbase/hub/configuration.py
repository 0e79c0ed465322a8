"""Every setting of the hub: its environment variable, its type, its default. Documented in docs/run-a-hub.md.

And how it logs: structured, on standard error: one JSON object a line, or plain lines for a terminal.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pilotbase.documents.errors import InputError, Issue, offer
from pilotbase.documents.extras import packages_of
from pilotbase.documents.permissions import ReadScope, roles_for
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.home import GATEWAY_URL, VARIABLE, home_path

ENVIRONMENT = "environment"
SETTINGS = "pilotbase.hub.settings"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PREFIX = "PILOTBASE_HUB_"
OF_CLIENTS = frozenset({f"{PREFIX}TOKEN", f"{PREFIX}TOKEN_FILE"})
"""What the command line reads to drive a hub; a hub that is started from the same shell leaves it alone."""


def _setting(name: str, read: Callable[[str], Any], default: Any) -> Any:
    return _read_from(PREFIX + name, read, default)


def _read_from(variable: str, read: Callable[[str], Any], default: Any) -> Any:
    return field(default=default, metadata={"variable": variable, "read": read})


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError
    return value.rstrip("/")


def _database(value: str) -> str:
    if not value.startswith(("postgresql://", "sqlite:///")):
        raise ValueError
    return value


def _mail(value: str) -> str:
    if value not in ("folder", "console") and urlsplit(value).scheme not in ("smtp", "smtps"):
        raise ValueError
    return value


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in allowed:
            raise ValueError
        return value

    return read


def _between(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return read


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _roles(value: str) -> tuple[str, ...]:
    return tuple(Role(name).value for name in _names(value)) if value != "none" else ("none",)


def _directory(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError
    return value.rstrip("/")


@dataclass(frozen=True)
class DirectoryGroup:
    """A group of a directory, and what its members are in an organisation."""

    organisation: str
    roles: tuple[Role, ...]
    name: str
    """The distinguished name of its entry."""


def _groups_file(value: str) -> str:
    if Path(value).is_file():
        _groups(Path(value))
    return value


def _groups(file: Path) -> tuple[DirectoryGroup, ...]:
    """Return the groups that ``file`` lists; raises `ValueError`, as for a right over the whole base."""
    lines = (
        line.split(maxsplit=2) for line in file.read_text("utf-8").splitlines() if line.strip()[:1] not in ("", "#")
    )
    found = tuple(DirectoryGroup(one, tuple(map(Role, roles.split(","))), name.strip()) for one, roles, name in lines)
    if not {role for one in found for role in one.roles}.isdisjoint(roles_for(ReadScope.OVERVIEW)):
        raise ValueError
    return found


_FORM_BYTES = 64 << 20


@dataclass(frozen=True)
class HubConfiguration:
    """The settings of one hub."""

    home: Path
    url: str = _setting("URL", _address, "http://127.0.0.1:8000")
    """Public address, as browsers write it."""
    gateway: str = _read_from(GATEWAY_URL, _address, "")
    """Public address of the gateway, which pages of services name; empty: where this hub has started it."""
    hosts: tuple[str, ...] = _setting("HOSTS", _names, ())
    """Further host names that are answered."""
    database: str = _setting("DATABASE", _database, "")
    """Accounts; empty: hub.db in the home, or the store's PostgreSQL where it has one."""
    language: Literal["en", "zh"] = _setting("LANGUAGE", _one_of("en", "zh"), "en")
    """Language of a visitor whose browser asks for neither."""
    mail: str = _setting("MAIL", _mail, "folder")
    """``folder`` (mail/ in the home), ``console``, or smtp[s]://user:password@host:port."""
    mail_from: str = _setting("MAIL_FROM", str, "pilotbase@localhost")
    session_hours: int = _setting("SESSION_HOURS", _between(1, 720), 12)
    second_factor_roles: tuple[str, ...] = _setting("SECOND_FACTOR_ROLES", _roles, ())
    """Roles whose people need a second factor, or ``none``; empty: operators, where others reach the hub."""
    invitation_days: int = _setting("INVITATION_DAYS", _between(1, 90), 7)
    upload_bytes: int = _setting("UPLOAD_BYTES", _between(1 << 10, 1 << 34), 512 << 20)
    """Largest upload; a form carries no more than `form_bytes` of it at once."""
    unpacked_bytes: int = _setting("UNPACKED_BYTES", _between(1 << 10, 1 << 34), 256 << 20)
    """What an archive may unpack to; one that is larger itself, to its own size."""
    upload_room_bytes: int = _setting("UPLOAD_ROOM_BYTES", _between(1 << 10, 1 << 40), 1 << 30)
    """What the uploads of one organisation may hold together."""
    upload_hours: int = _setting("UPLOAD_HOURS", _between(1, 8760), 72)
    """After so many hours without a further piece an upload that was not taken in is erased."""
    files_days: int = _setting("FILES_DAYS", _between(1, 36_500), 730)
    """After so many days the files of a scenario's version are erased."""
    token_requests: int = _setting("TOKEN_REQUESTS", _between(1, 1_000_000), 600)
    """Requests that a token may make in a minute."""
    proxies: int = _setting("PROXIES", _between(0, 9), 0)
    """Reverse proxies in front whose X-Forwarded-For and -Proto are believed."""
    attachment_bytes: int = _setting("ATTACHMENT_BYTES", _between(1 << 10, 1 << 30), 10 << 20)
    """Largest file of a message in a thread."""
    digest_hour: int = _setting("DIGEST_HOUR", _between(0, 23), 0)
    """Hour of the day, UTC, at which the daily mails go out."""
    webhook_allow: tuple[str, ...] = _setting("WEBHOOK_ALLOW", _names, ())
    """Hosts and networks that webhooks reach though they are private."""
    log: Literal["json", "plain"] = _setting("LOG", _one_of("json", "plain"), "json")
    oidc_name: str = _setting("OIDC_NAME", str, "OpenID Connect")
    """What the button of the identity provider says."""
    oidc_url: str = _setting("OIDC_URL", str, "")
    """Issuer address of the identity provider; empty: none."""
    oidc_client: str = _setting("OIDC_CLIENT", str, "")
    oidc_secret_file: str = _setting("OIDC_SECRET_FILE", str, "")
    """File that holds the client's secret."""
    ldap_url: str = _setting("LDAP_URL", _directory, "")
    """Address of an LDAP directory; empty: none. Without ``ldaps://`` TLS begins before anything is said (StartTLS)."""
    ldap_base: str = _setting("LDAP_BASE", str, "")
    """Entry below which people are found by their address."""
    ldap_filter: str = _setting("LDAP_FILTER", str, "(objectClass=person)")
    """Which entries are people."""
    ldap_bind: str = _setting("LDAP_BIND", str, "")
    """Entry in whose name people are looked up; empty: anonymously."""
    ldap_password_file: str = _setting("LDAP_PASSWORD_FILE", str, "")
    ldap_ca_file: str = _setting("LDAP_CA_FILE", str, "")
    """Certificates that vouch for the directory; empty: those of the system."""
    ldap_groups_file: str = _setting("LDAP_GROUPS_FILE", _groups_file, "")
    """Lines ``organisation role,role group``: the groups by which people have roles."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> HubConfiguration:
        """Return the settings that ``environment`` spells; raises `InputError` with every problem at once."""
        found: dict[str, Any] = {}
        issues: list[Issue] = []
        for setting in settings():
            value = environment.get(setting.variable)
            if not value:
                continue
            try:
                found[setting.name] = setting.read(value)
            except ValueError:
                issues.append(_issue(setting.variable, text("hub.setting_invalid", found=_shown(setting, value))))
        known = {setting.variable for setting in settings()}
        strange = (name for name in environment if name.startswith(PREFIX) and name not in known | OF_CLIENTS)
        issues += [
            _issue(one, text("hub.setting_unknown", allowed=offer(one, sorted(known)))) for one in sorted(strange)
        ]
        configuration = cls(home=home_path(environment), **found)
        issues += [_issue(name, problem) for name, problem in configuration._contradictions()]
        if issues:
            raise InputError.from_issues(ENVIRONMENT, issues)
        return configuration

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def form_bytes(self) -> int:
        """Return how large a file may be that comes with a form: it is taken whole, where an upload comes in pieces."""
        return min(self.upload_bytes, _FORM_BYTES)

    @property
    def secure(self) -> bool:
        """Return whether browsers reach the hub by https."""
        return self.url.startswith("https://")

    @property
    def factor_roles(self) -> frozenset[Role]:
        """Return the roles whose people need a second factor."""
        named = self.second_factor_roles or (("none",) if self.local else (Role.OPERATOR,))
        return frozenset(role for role in Role if role in named)

    @property
    def local(self) -> bool:
        return self.host in LOOPBACK

    @property
    def ldap_groups(self) -> tuple[DirectoryGroup, ...]:
        """Return the groups of the directory by which people have roles."""
        return _groups(Path(self.ldap_groups_file)) if self.ldap_groups_file else ()

    def _contradictions(self) -> Iterator[tuple[str, Text]]:
        if not self.secure and not self.local:
            yield f"{PREFIX}URL", text("hub.setting_insecure", found=self.url)
        if bool(self.oidc_url) != bool(self.oidc_client):
            yield f"{PREFIX}OIDC_CLIENT", text("hub.setting_oidc_half")
        for name in ("oidc_secret_file", "ldap_password_file", "ldap_ca_file", "ldap_groups_file"):
            if (found := getattr(self, name)) and not Path(found).is_file():
                yield f"{PREFIX}{name.upper()}", text("hub.setting_no_file", found=found)
        if bool(self.ldap_url) != bool(self.ldap_base):
            yield f"{PREFIX}LDAP_BASE", text("hub.setting_ldap_half")
        if self.ldap_url and find_spec("ldap3") is None:
            yield f"{PREFIX}LDAP_URL", text("hub.no_ldap3", packages=packages_of("ldap"))


@dataclass(frozen=True)
class Setting:
    """One setting as the documentation lists it."""

    name: str
    variable: str
    default: str
    read: Callable[[str], Any]


def settings() -> list[Setting]:
    """Return every setting but the home's, in order."""
    return [
        Setting(one.name, one.metadata["variable"], _spelled(one.default), one.metadata["read"])
        for one in fields(HubConfiguration)
        if one.metadata
    ]


def django_database(configuration: HubConfiguration, store_url: str | None) -> dict[str, Any]:
    """Return Django's settings of the database that holds the accounts."""
    url = configuration.database or store_url or f"sqlite:///{configuration.home / 'hub.db'}"
    if url.startswith("sqlite:///"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///"),
            "OPTIONS": {
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON",
            },
        }
    parts = urlsplit(url)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(parts.port or ""),
    }


def _issue(variable: str, problem: Text) -> Issue:
    return Issue(file=ENVIRONMENT, path=variable, problem=problem)


def _shown(setting: Setting, value: str) -> str:
    """Return what was found, unless it may hold a password."""
    return "…" if setting.name in ("mail", "database") else value[:120]


def _spelled(default: object) -> str:
    return ",".join(default) if isinstance(default, tuple) else str(default)


HOME_VARIABLE = VARIABLE


_FIELDS = ("request", "method", "route", "status", "milliseconds", "organisation", "remote")
_JOB = ("job", "kind", "subject", "attempt", "state", "seconds")


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object; what was logged is never a second line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in _FIELDS + _JOB if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def logging_settings(style: str) -> dict[str, Any]:
    """Return the logging configuration for ``json`` or ``plain``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "pilotbase.hub.configuration.JsonLines"},
            "plain": {"format": "%(asctime)s %(levelname)-7s %(name)s %(message)s"},
        },
        "handlers": {"standard-error": {"class": "logging.StreamHandler", "formatter": style}},
        "root": {"handlers": ["standard-error"], "level": "INFO"},
        "loggers": {
            "alembic": {"level": "WARNING"},
            "django": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "django.security.csrf": {"level": "ERROR"},
            "uvicorn": {"level": "WARNING"},
            "uvicorn.access": {"level": "ERROR"},
        },
    }
