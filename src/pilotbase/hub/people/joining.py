"""Who comes in without invitation: whom an identity provider knows by an email domain, or a directory by a password."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress  # type: ignore[import-untyped]
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.http import HttpRequest

from pilotbase.documents.errors import BarredError, InputError, PilotbaseError
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import language
from pilotbase.hub.base import operator_view
from pilotbase.hub.configuration import LOOPBACK, DirectoryGroup, HubConfiguration
from pilotbase.hub.models import Membership, Person, SignUpDomain
from pilotbase.hub.people.invitations import enter_member, require_roles, set_roles
from pilotbase.hub.people.rights import BASE_WIDE
from pilotbase.protocols.guarded_http import NoAnswerError
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_SECONDS = 5
"""So long a directory may take to answer."""
_FOUND, _NO_SUCH_ENTRY = 0, 32
_logger = logging.getLogger("pilotbase.hub.ldap")


def set_domain(view: View, domain: str, organisation: str, roles: Iterable[Role]) -> None:
    """Let whoever proves an address of ``domain`` join ``organisation`` in ``roles``.

    Raises:
        InputError: a role that the organisation does not have, or one over the whole base, which takes two operators.
        BarredError: the people of ``domain`` join another organisation.
    """
    named = sorted(set(roles))
    require_roles(organisation, named)
    if not BASE_WIDE.isdisjoint(named):
        raise InputError("hub.domain_role", allowed=", ".join(sorted(set(Role) - BASE_WIDE)))
    with transaction.atomic():
        kept, _ = SignUpDomain.objects.get_or_create(domain=domain, defaults={"organisation": organisation})
        if kept.organisation != organisation:
            raise BarredError("hub.domain_taken", domain=domain, organisation=kept.organisation)
        if kept.roles != named:
            kept.roles = named
            kept.save()
            _log(view, "domain.set", kept)


def end_domain(view: View, domain: str, organisation: str) -> None:
    """Let nobody more join by ``domain``; members stay. Raises `NotFoundError`: not a domain of the organisation."""
    found = SignUpDomain.objects.filter(domain=domain, organisation=organisation).first()
    if found is None:
        raise NotFoundError("hub.not_found")
    with transaction.atomic():
        found.delete()
        _log(view, "domain.ended", found)


def domain_of(email: str) -> SignUpDomain | None:
    """Return the domain by which the owner of ``email`` joins an organisation, or None."""
    return SignUpDomain.objects.filter(domain=email.rpartition("@")[2].lower()).first()


def join_by_domain(view: View, person: Person) -> None:
    """Make ``person``, who has proven their address, a member of the organisation of its domain.

    Raises:
        NotFoundError: there is no such organisation (any more).
        InputError: the organisation no longer has the roles.
    """
    found = domain_of(person.email)
    if found is None:
        raise NotFoundError("hub.not_found")
    require_roles(found.organisation, map(Role, found.roles))
    enter_member(view, person, found.organisation, found.roles, invited=False)


def _log(view: View, action: str, domain: SignUpDomain) -> None:
    with view.transaction(action) as change:
        facts = {"domain": domain.domain, "roles": ", ".join(domain.roles)}
        change.record(action, [organisation_subject(domain.organisation)], facts)


@dataclass(frozen=True)
class Known:
    """Somebody whom the directory knows by their address and password."""

    email: str
    name: str
    groups: tuple[DirectoryGroup, ...]
    """Those of the hub's groups in which they are."""


class DirectoryBackend(ModelBackend):
    """Lets in whom the directory knows and who has an account, or may have one by a group or an email domain."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, email: str = "", password: str = "", **_: object
    ) -> Person | None:
        known = look_up(settings.CONFIGURATION, email, password)
        with transaction.atomic():
            person = _account(known) if known is not None else None
            return person if person is not None and self.user_can_authenticate(person) else None


def look_up(configuration: HubConfiguration, email: str, password: str) -> Known | None:
    """Return whom the directory knows by ``email`` and ``password``, or None.

    Raises:
        NoAnswerError: the directory does not answer, or not as one that we may trust.
    """
    if not email or not password:  # a bind without password is no sign-in: every directory lets anybody do it
        return None
    ldap3 = import_module("ldap3")
    try:
        return _Directory(ldap3, configuration).look_up(email, password)
    except (OSError, ldap3.core.exceptions.LDAPException) as error:
        _logger.warning("%s: %s", configuration.ldap_url, error)
        raise NoAnswerError("hub.directory_away") from None


class _Directory:
    """A directory that is asked in the name of the hub."""

    def __init__(self, ldap3: Any, configuration: HubConfiguration) -> None:
        self._ldap3, self._configuration = ldap3, configuration
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=configuration.ldap_ca_file or None)
        self._server = ldap3.Server(configuration.ldap_url, get_info=ldap3.NONE, tls=tls, connect_timeout=_SECONDS)
        self._starts_tls = not self._server.ssl and urlsplit(configuration.ldap_url).hostname not in LOOPBACK

    def look_up(self, email: str, password: str) -> Known | None:
        file, by = self._configuration.ldap_password_file, self._configuration.ldap_bind
        secret = Path(file).read_text("utf-8").strip() if file else None
        with self._opened(by or None, secret) as hub:
            if not hub.bind():
                raise self._ldap3.core.exceptions.LDAPBindError(hub.result["description"])
            entry = self._entry(hub, email)
            if entry is None or not self._is_password_of(entry["dn"], password):
                return None
            name = next(iter(entry["attributes"]["cn"]), "") or email.partition("@")[0]
            groups = tuple(one for one in self._configuration.ldap_groups if self._is_in(hub, one, entry))
            return Known(email.lower(), name, groups)

    @contextmanager
    def _opened(self, name: str | None, secret: str | None) -> Iterator[Any]:
        options = {"read_only": True, "auto_referrals": False, "check_names": False, "receive_timeout": _SECONDS}
        connection = self._ldap3.Connection(self._server, name, secret, **options)
        try:
            connection.open()
            if self._starts_tls and not connection.start_tls():
                raise self._ldap3.core.exceptions.LDAPStartTLSError(connection.result["description"])
            yield connection
        finally:
            connection.unbind()

    def _is_password_of(self, name: str, password: str) -> bool:
        with self._opened(name, password) as person:
            return bool(person.bind())

    def _entry(self, hub: Any, email: str) -> dict[str, Any] | None:
        """Return the only entry of ``email``; whose address stands at two entries is nobody."""
        wanted = f"(&{self._configuration.ldap_filter}(mail={self._escaped(email)}))"
        found = self._search(hub, self._configuration.ldap_base, wanted, self._ldap3.SUBTREE)
        mails = [{mail.lower() for mail in one["attributes"]["mail"]} for one in found]
        return found[0] if len(found) == 1 and email.lower() in mails[0] else None

    def _is_in(self, hub: Any, group: DirectoryGroup, entry: dict[str, Any]) -> bool:
        name = self._escaped(entry["dn"])
        users = "".join(f"(memberUid={self._escaped(one)})" for one in entry["attributes"]["uid"])
        return bool(self._search(hub, group.name, f"(|(member={name})(uniqueMember={name}){users})", self._ldap3.BASE))

    def _search(self, hub: Any, place: str, wanted: str, scope: str) -> list[dict[str, Any]]:
        hub.search(place, wanted, scope, attributes=["mail", "cn", "uid"], size_limit=2, time_limit=_SECONDS)
        if hub.result["result"] == _NO_SUCH_ENTRY:
            return []
        if hub.result["result"] != _FOUND:
            raise self._ldap3.core.exceptions.LDAPOperationResult(description=hub.result["description"])
        return [one for one in hub.response if one["type"] == "searchResEntry"]

    def _escaped(self, value: str) -> str:
        return str(import_module("ldap3.utils.conv").escape_filter_chars(value))


def _account(known: Known) -> Person | None:
    """Return the account of somebody, made for whom a group or an email domain lets in, with the roles of now."""
    person = Person.objects.filter(email__iexact=known.email).first()
    if person is None:
        if not known.groups and domain_of(known.email) is None:
            return None
        person = Person(email=known.email, name=known.name[:120], language=language())
        person.set_unusable_password()
        person.save()
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
        if domain_of(known.email) is not None:
            join_by_domain(operator_view(), person)
    elif EmailAddress.objects.filter(user=person, verified=False).update(verified=True):
        person.set_unusable_password()  # whoever chose it had seen the link of an invitation, and proved nothing
        person.save(update_fields=["password"])
    for organisation in {one.organisation for one in settings.CONFIGURATION.ldap_groups}:
        try:
            _follow_groups(person, organisation, known.groups)
        except PilotbaseError as error:
            _logger.warning("%s in %s: %s", person.identity, organisation, error)
    return person


def _follow_groups(person: Person, organisation: str, groups: tuple[DirectoryGroup, ...]) -> None:
    """Give and take the roles in an organisation that groups decide about; the others stay as they are."""
    decided = _roles(settings.CONFIGURATION.ldap_groups, organisation)
    member = Membership.objects.select_related("person").filter(person=person, organisation=organisation).first()
    held = set(map(Role, member.roles)) if member is not None else set()
    wanted = held - decided | _roles(groups, organisation)
    if member is not None:
        set_roles(operator_view(), member, wanted)
    elif wanted:
        require_roles(organisation, wanted)
        enter_member(operator_view(), person, organisation, sorted(wanted), invited=False)


def _roles(groups: tuple[DirectoryGroup, ...], organisation: str) -> set[Role]:
    return {role for one in groups if one.organisation == organisation for role in one.roles}
