"""Who asks: the person, the organisation they act for, its roles, and the store as that actor sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, cast

from allauth.mfa.models import Authenticator  # type: ignore[import-untyped]
from allauth.mfa.utils import is_mfa_enabled  # type: ignore[import-untyped]
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import get_language

from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import AnyAct, ReadScope, may_begin, permitted
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import Organisation, organisation_subject, record_head
from pilotbase.documents.texts import Language
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import ApiToken, Membership, Person
from pilotbase.operations.operation import Out
from pilotbase.vault.place import UploadTerms
from pilotbase.worker.operations.binding import Caller, CallerLimits
from pilotbase.workspace.actors import VISITOR, Actor, require_may_begin
from pilotbase.workspace.store import View

_TIMES_THE_MAKING, _LONGEST_KEPT = 100, 300
"""What takes long to make is kept longer, in seconds: making it takes one part in a hundred of the time at most."""
_SEEN_EVERY = timedelta(hours=1)
CHOSEN, _ACTED = "organisation", "acted"


@dataclass(frozen=True)
class RequestActor:
    """Who acts in one request."""

    person: Person | None
    actor: Actor
    memberships: tuple[Membership, ...] = ()
    may_write: bool = True
    """False for a token of scope ``read``."""
    lacks_factor: bool = False
    """They act for nobody until they have set up the second factor that one of their roles needs."""

    @property
    def view(self) -> View:
        return base().lab.store.as_actor(self.actor)

    @property
    def organisation(self) -> str:
        return self.actor.organisation

    def has(self, *roles: Role) -> bool:
        """Return whether one of ``roles`` is among the actor's."""
        return bool(self.actor.roles & set(roles))

    def may(self, act: AnyAct) -> bool:
        """Return whether there is anything to which the actor may do ``act``."""
        return may_begin(act, self.actor)

    def reads(self, reading: ReadScope) -> bool:
        """Return whether the actor may read what is of the base as a whole."""
        return permitted(reading, self.actor)

    def require(self, act: AnyAct) -> None:
        """Return if there is anything to which the actor may do ``act``; raises `RefusedError` naming who may."""
        require_may_begin(act, self.actor)


class HubRequest(HttpRequest):
    """A request that `identify` has looked at."""

    acting: RequestActor


def identify(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: put a `RequestActor` on each request, from its session."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.acting = acting = _of_session(request)  # type: ignore[attr-defined]
        if acting.person is not None:
            _note_seen(acting.person)
        response = get_response(request)
        if request.method == "POST" and acting.person is not None:
            cache.set(f"{_ACTED}:{acting.person.identity}", time.monotonic(), _LONGEST_KEPT)
        return response

    return middleware


def acted_at(actor: Actor) -> float:
    """Return when a person last sent a form from a browser (`time.monotonic` of this process), or 0 if not recently."""
    return float(cache.get(f"{_ACTED}:{actor.person}", 0.0))


def of_token(token: ApiToken) -> RequestActor | None:
    """Return who acts by ``token``, or None when the person has left the organisation or is barred."""
    membership = Membership.objects.filter(person=token.person, organisation=token.organisation).first()
    if membership is None or not token.person.is_active:
        return None
    _note_seen(token.person)
    if _lacks_factor(token.person, Membership.objects.filter(person=token.person)):
        return RequestActor(token.person, VISITOR, lacks_factor=True)
    return RequestActor(
        token.person, actor_of(membership, token.person), (membership,), may_write=token.scope == "write"
    )


def posted(request: HttpRequest) -> QueryDict | None:
    """Return the form that was posted, an empty one too; None for a request that only reads."""
    return request.POST if request.method == "POST" else None


def posted_files(request: HttpRequest) -> tuple[QueryDict | None, Any]:
    """Return the form that was posted and its files."""
    return posted(request), request.FILES if request.method == "POST" else None


def language() -> Language:
    """Return the language of this request."""
    return "zh" if (get_language() or "").startswith("zh") else "en"


def is_member(organisation: str, person: str) -> bool:
    """Return whether a person acts for an organisation."""
    return Membership.objects.filter(organisation=organisation, person__identity=person).exists()


def email_of(person: str) -> str | None:
    """Return the address of a person, or None if nobody here has this identifier."""
    return Person.objects.filter(identity=person).values_list("email", flat=True).first()


def caller(view: View, seen: Digest | None = None, service: str | None = None) -> Caller:
    """Return who calls an operation of this hub; ``seen``: the version that they change, ``service``: of their key."""
    known = settings.CONFIGURATION
    lifetime = timedelta(hours=known.upload_hours)
    uploads = UploadTerms(known.upload_bytes, known.upload_room_bytes, lifetime)
    limits = CallerLimits(
        uploads, known.attachment_bytes, known.unpacked_bytes, known.webhook_allow, known.files_days, known.url
    )

    def remember(name: str, seconds: float, make: Callable[[], Out]) -> Out:
        key = f"{name}:{base().home.path}:{view.actor.organisation}:{'+'.join(sorted(view.actor.roles))}"
        found = cache.get(key)
        if found is None:
            began = time.monotonic()
            found = make()
            taken = time.monotonic() - began
            cache.set(key, found, max(seconds, min(_TIMES_THE_MAKING * taken, _LONGEST_KEPT)))
        return cast("Out", found)

    return Caller(base(), view, language(), seen, service, limits, remember, is_member=is_member, email_of=email_of)


def _note_seen(person: Person) -> None:
    now = base().lab.store.clock()
    if person.seen_at is None or now - person.seen_at > _SEEN_EVERY:
        Person.objects.filter(pk=person.pk).update(seen_at=now)


def _lacks_factor(person: Person, memberships: Iterable[Membership]) -> bool:
    """Return whether a role of ``person``, in any organisation, needs a second factor that they have not set up."""
    needing = settings.CONFIGURATION.factor_roles
    needs = bool(needing) and any(needing & roles_held(one.organisation, one.roles) for one in memberships)
    return needs and not has_factor(person)


def has_factor(person: Person) -> bool:
    """Return whether a log-in of ``person`` asks for more than the password; recovery codes alone are no factor."""
    return bool(is_mfa_enabled(person, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]))


def _of_session(request: HttpRequest) -> RequestActor:
    person = request.user
    if not isinstance(person, Person) or not person.is_authenticated:
        return RequestActor(None, VISITOR)
    memberships = tuple(Membership.objects.filter(person=person).order_by("organisation"))
    if not memberships:
        return RequestActor(person, VISITOR)
    if _lacks_factor(person, memberships):
        return RequestActor(person, VISITOR, lacks_factor=True)
    chosen = request.session.get(CHOSEN)
    current = next((one for one in memberships if one.organisation == chosen), memberships[0])
    return RequestActor(person, actor_of(current, person), memberships)


def actor_of(membership: Membership, person: Person) -> Actor:
    """Return who acts by a membership of ``person``: in those of its roles that the organisation has now."""
    organisation, manages = membership.organisation, membership.manages
    return Actor(organisation, roles_held(organisation, membership.roles), person.identity, manages)


def roles_held(organisation: str, roles: Iterable[str]) -> frozenset[Role]:
    """Return those of ``roles`` that ``organisation`` has now; asked at every act, whatever was granted earlier."""
    return frozenset(map(Role, roles)) & roles_of(organisation)


def roles_of(organisation: str) -> frozenset[Role]:
    """Return the roles of an organisation; none of one that is not registered. The base's own operates it."""
    digest = operator_view().head(record_head(organisation_subject(organisation)))
    return roles_by(organisation, _declared(digest) if digest is not None else ())


def roles_by(organisation: str, declared: Iterable[Role]) -> frozenset[Role]:
    """Return the roles that an organisation has whose record declares ``declared``."""
    own = {Role.OPERATOR} if organisation == base().trust.issuer else ()
    return frozenset((*own, *declared))


@lru_cache(maxsize=4096)
def _declared(record: Digest) -> frozenset[Role]:
    """Return the roles that an organisation declares in a version of its record, which never changes."""
    view = operator_view()
    return frozenset(view.load(view.load(record, Record).documents["organisation"], Organisation).roles)
