"""Who joins: invited one by one or many at once, into organisations; the first operator of a base."""

from __future__ import annotations

import json
import logging
import smtplib
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from allauth.account.models import EmailAddress  # type: ignore[import-untyped]
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from pilotbase.catalogue.importing import Guest, KnownPeople
from pilotbase.catalogue.saving import save
from pilotbase.documents.base import Localized
from pilotbase.documents.errors import BarredError, InputError, RefusedError
from pilotbase.documents.hashes import hash_secret
from pilotbase.documents.moments import format_day
from pilotbase.documents.permissions import Act, DeskAct, SubjectRelation, may_begin, permitted
from pilotbase.documents.subjects import Organisation, organisation_subject, record_head
from pilotbase.documents.texts import LANGUAGES, Language, Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import roles_by, roles_of
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import ApiToken, Invitation, Membership, Person, RoleChange
from pilotbase.hub.people.rights import BASE_WIDE, decide, holders, proposal
from pilotbase.hub.people.tokens import new_secret
from pilotbase.hub.presenters.records import title_of
from pilotbase.worker.base import DEFAULT_NAME
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query, every_listing
from pilotbase.workspace.store import View

AT_ONCE = 50
"""So many mails are sent before the page answers; more go out behind it."""
MOST_OPEN = 50
"""So many invitations an organisation's own members may have open, or withdrawn within a day: the hub mails any address
that they name."""
_log = logging.getLogger("pilotbase.hub")


@dataclass(frozen=True)
class SentInvitation:
    """An invitation and its link, which nobody can read again."""

    invitation: Invitation
    link: str


def invite(
    view: View,
    inviter: Person | None,
    email: str,
    organisation: str,
    roles: Iterable[Role],
    language: Language = "en",
) -> SentInvitation | RoleChange:
    """Invite ``email`` into ``organisation``, mail the link, and enter it into the log of the base.

    Where a second operator must consent, return what they must consent to: the link is mailed then.

    Raises:
        RefusedError: the actor of ``view`` is neither operator nor of that organisation, or it has invited too many.
        InputError: no role, no address to which a mail can be sent, or the person is a member already.
    """
    _require_address(email)
    named = tuple(dict.fromkeys(roles))
    if not named:
        raise InputError("hub.no_role")
    if Membership.objects.filter(person__email__iexact=email, organisation=organisation).exists():
        raise InputError("hub.member_already", email=email, organisation=organisation)
    guest = Guest(email.strip().lower(), organisation, named, language)
    _require_invitable(view, guest)
    return proposal(view, guest.email, organisation, named, language) or _sent(view, inviter, guest)


def invite_all(view: View, inviter: Person | None, guests: Sequence[Guest]) -> int:
    """Invite everybody of ``guests``, whom `plan_people` has looked at, and return how many.

    Whom a second operator must consent to is proposed.

    Raises:
        RefusedError: the actor of ``view`` is not the operator; then nobody is invited.
    """
    with transaction.atomic():
        for guest in guests:
            _require_invitable(view, guest)
        free = [
            one
            for one in guests
            if BASE_WIDE.isdisjoint(one.roles)
            or proposal(view, one.email, one.organisation, one.roles, one.language) is None
        ]
        made = enter(view, inviter, free) if free else []
    _post([mail_of(one.invitation, one.link, guest.language) for one, guest in zip(made, free, strict=True)])
    return len(guests)


def _sent(view: View, inviter: Person | None, guest: Guest) -> SentInvitation:
    (sent,) = enter(view, inviter, [guest])
    mail_of(sent.invitation, sent.link, guest.language).send()
    return sent


def register_base() -> None:
    """Register the base's own organisation where it is not, so that its page is there to invite its people from."""
    view, name = operator_view(), base().trust.issuer
    if view.head(record_head(organisation_subject(name))) is None:
        words = {language: text("hub.base_title").render(language) for language in LANGUAGES}
        title = Localized(**words) if name == DEFAULT_NAME else name
        save(view, Organisation(name=name, title=title, roles=(Role.OPERATOR,)))


def invite_operator(email: str) -> str:
    """Return the link by which ``email`` becomes an operator of the base; raises `InputError`: a member already."""
    sent = invite(operator_view(), None, email, base().trust.issuer, [Role.OPERATOR])
    assert isinstance(sent, SentInvitation)
    return sent.link


def is_empty() -> bool:
    """Return whether nobody has joined yet."""
    return not Membership.objects.exists()


def known_people(view: View) -> KnownPeople:
    """Return organisations with their roles, and who is a member or has an invitation whose link works."""
    members = Membership.objects.values_list("person__email", "organisation")
    working = Invitation.objects.filter(used_at=None, withdrawn_at=None, expires_at__gt=timezone.now())
    invited = working.values_list("email", "organisation")
    known = {(email.lower(), organisation) for email, organisation in (*members, *invited)}
    return KnownPeople(_organisations(view), known)


def enter(view: View, inviter: Person | None, guests: Sequence[Guest]) -> list[SentInvitation]:
    """Enter invitations, all of them or none, into the log of the base too; no mail goes out yet.

    Raises:
        RefusedError: the actor of ``view`` may not invite there; then nobody is invited.
        InputError: a role that the organisation does not have.
    """
    for guest in guests:
        _require_invitable(view, guest)
    expires = timezone.now() + timedelta(days=settings.CONFIGURATION.invitation_days)
    secrets = [new_secret("invite") for _ in guests]
    invitations = [
        Invitation(
            email=guest.email,
            organisation=guest.organisation,
            roles=sorted(role.value for role in guest.roles),
            secret_hash=hash_secret(secret),
            invited_by=inviter,
            expires_at=expires,
        )
        for guest, secret in zip(guests, secrets, strict=True)
    ]
    with transaction.atomic():
        made = Invitation.objects.bulk_create(invitations)
        with view.transaction("invitation.sent") as change:
            for invitation in made:
                facts: dict[str, str | int] = {"roles": ", ".join(invitation.roles), "invitation": invitation.pk}
                subjects = [organisation_subject(invitation.organisation)]
                change.record("invitation.sent", subjects, facts, _logged_person(invitation.email, inviter))
    return [SentInvitation(invitation, _link_of(secret)) for invitation, secret in zip(made, secrets, strict=True)]


def may_invite(view: View, organisation: str) -> bool:
    """Return whether the actor of ``view`` decides who is in ``organisation``."""
    return permitted(DeskAct.STAFF, view.actor, SubjectRelation(organisation=organisation))


def _require_invitable(view: View, guest: Guest) -> None:
    _require_inviter(view, guest.organisation)
    if not view.actor.is_operator and _counted_invitations(guest.organisation) >= MOST_OPEN:
        raise BarredError("hub.too_many_invitations", limit=MOST_OPEN)
    require_roles(guest.organisation, guest.roles)


def _require_inviter(view: View, organisation: str) -> None:
    if not may_invite(view, organisation):
        raise RefusedError("workspace.operator_only", organisation=view.actor.organisation)


def _counted_invitations(organisation: str) -> int:
    """Return how many are open or were withdrawn within a day: what is withdrawn has been mailed all the same."""
    lately = Invitation.objects.filter(organisation=organisation, withdrawn_at__gt=timezone.now() - timedelta(days=1))
    return open_invitations(organisation).count() + lately.count()


def require_roles(organisation: str, roles: Iterable[Role]) -> None:
    """Return if ``organisation`` has all of ``roles``; raises `InputError`."""
    allowed = roles_of(organisation)
    if not allowed.issuperset(roles):
        names = ", ".join(sorted(role.value for role in allowed)) or "–"
        raise InputError("hub.role_not_of_organisation", organisation=organisation, allowed=names)


def _require_address(email: str) -> None:
    try:
        validate_email(email)
        email.rpartition("@")[2].encode("idna")
    except (ValidationError, UnicodeError):
        raise InputError("hub.no_address", found=email) from None


def _link_of(secret: str) -> str:
    """Return the link of an invitation."""
    return f"{settings.CONFIGURATION.url}/invitations/{secret}/"


def open_invitation(secret: str) -> Invitation:
    """Return the invitation of a link; raises `NotFoundError`: unknown, used, withdrawn and expired look alike."""
    found = Invitation.objects.filter(
        secret_hash=hash_secret(secret), used_at=None, withdrawn_at=None, expires_at__gt=timezone.now()
    ).first()
    if found is None:
        raise NotFoundError("hub.invitation_gone")
    return found


def open_invitations(organisation: str = "") -> QuerySet[Invitation]:
    """Return the invitations into ``organisation``, or into any, whose links work, newest first."""
    found = Invitation.objects.filter(used_at=None, withdrawn_at=None, expires_at__gt=timezone.now())
    return (found.filter(organisation=organisation) if organisation else found).order_by("-invited_at")


def join(view: View, invitation: Invitation, person: Person) -> Membership:
    """Make ``person`` a member as the invitation says; it works once, also when two come at the same moment.

    Raises:
        NotFoundError: the invitation has been used, withdrawn or has expired meanwhile.
        InputError: it was sent to another address, or is for roles that the organisation no longer has.
    """
    require_roles(invitation.organisation, map(Role, invitation.roles))
    if person.email.lower() != invitation.email.lower():
        raise InputError("hub.invitation_foreign", email=person.email)
    with transaction.atomic():
        _use_up(invitation)
        return enter_member(view, person, invitation.organisation, invitation.roles)


def enter_member(
    view: View, person: Person, organisation: str, roles: Sequence[str], invited: bool = True
) -> Membership:
    """Make ``person`` a member who has ``roles``; the first one ``invited`` manages the organisation."""
    first = invited and not Membership.objects.filter(organisation=organisation, manages=True).exists()
    with transaction.atomic():
        membership, _ = Membership.objects.update_or_create(
            person=person,
            organisation=organisation,
            defaults={"roles": roles},
            create_defaults={"roles": roles, "manages": first},
        )
        _log_membership(view, "membership.granted", membership)
    return membership


def sign_up(view: View, invitation: Invitation, name: str, password: str, language: Language) -> Person:
    """Make the account of an invited address and its membership; raises as `join`, or when the account exists."""
    with transaction.atomic():
        if Person.objects.filter(email__iexact=invitation.email).exists():
            raise InputError("hub.account_exists", email=invitation.email)
        person = Person(email=invitation.email, name=name, language=language)
        person.set_password(password)
        person.save()
        # The link came by mail to this address, but a manager who invites sees it too: then it proves nothing.
        inviter = invitation.invited_by
        proven = inviter is None or holders(Role.OPERATOR).filter(person=inviter).exists()
        EmailAddress.objects.create(user=person, email=person.email, verified=proven, primary=True)
        join(view, invitation, person)
    return person


def withdraw(view: View, invitation: Invitation) -> None:
    """Let the link of an invitation work no more; raises `RefusedError` for who may not invite there."""
    with transaction.atomic():
        _require_inviter(view, invitation.organisation)
        _use_up(invitation, field="withdrawn_at")
        with view.transaction("invitation.withdrawn") as change:
            subjects = [organisation_subject(invitation.organisation)]
            change.record("invitation.withdrawn", subjects, {"invitation": invitation.pk})


def set_roles(
    view: View, membership: Membership, roles: Iterable[Role], manages: bool | None = None
) -> RoleChange | None:
    """Let a person have these roles in their organisation from now on; without any, the membership ends.

    ``manages``: whether they manage the organisation; None: as before. Where a second operator must consent to the
    roles, return what they must consent to, and leave the roles as they are.

    Raises:
        InputError: a role that the organisation does not have.
        BarredError: no operator would be left, or no manager of the organisation.
        RefusedError: the actor of ``view`` is neither operator nor manager of the organisation.
    """
    wanted = sorted(set(roles))
    with transaction.atomic():
        manages = bool(wanted) and (membership.manages if manages is None else manages)
        _require_changeable(view, membership, wanted, manages)
        if wanted and manages != membership.manages:
            _set_manager(view, membership, manages)
        if wanted == sorted(membership.roles):
            return None
        found = proposal(view, membership.person.email, membership.organisation, wanted)
        if found is None:
            _set_roles(view, membership, wanted)
        return found


def consent(view: View, number: int) -> None:
    """Let a proposal take effect: roles are changed, a membership ends, or an invitation goes out.

    Raises as `decide` and, where things have changed since it was made, as `set_roles` or `invite`.
    """

    def take_effect(found: RoleChange) -> None:
        roles = [Role(one) for one in found.roles]
        members = Membership.objects.select_related("person").filter(person__email__iexact=found.email)
        member = members.filter(organisation=found.organisation).first()
        if member is not None:
            _require_changeable(view, member, roles, manages=bool(roles) and member.manages)
            _set_roles(view, member, roles)
        elif roles:
            language: Language = "zh" if found.language == "zh" else "en"
            _sent(view, found.proposed_by, Guest(found.email, found.organisation, tuple(roles), language))

    decide(view, number, take_effect)


def _require_changeable(view: View, membership: Membership, wanted: Sequence[Role], manages: bool) -> None:
    """Return if the actor of ``view`` may change a membership to ``wanted``; raises as `set_roles`.

    Until the transaction ends no other request changes who manages or operates: of two who leave at once one is last.
    """
    _require_inviter(view, membership.organisation)
    require_roles(membership.organisation, wanted)
    together = Membership.objects.filter(organisation=membership.organisation) | holders(Role.OPERATOR)
    list(together.select_for_update().order_by("pk"))
    operating = holders(Role.OPERATOR).filter(person__is_active=True)
    if Role.OPERATOR not in wanted and [one.pk for one in operating] == [membership.pk]:
        raise BarredError("hub.last_operator")
    others = Membership.objects.filter(organisation=membership.organisation, person__is_active=True)
    left = others.exclude(pk=membership.pk)
    if membership.manages and not manages and left.exists() and not left.filter(manages=True).exists():
        raise BarredError("hub.last_manager", organisation=membership.organisation)


def _set_manager(view: View, membership: Membership, manages: bool) -> None:
    membership.manages = manages
    with transaction.atomic():
        membership.save(update_fields=["manages"])
        _log_membership(view, "membership.changed", membership)


def appoint_managers(view: View) -> None:
    """Let the first of its members manage each organisation of the demonstration."""
    managed = Membership.objects.filter(manages=True).values("organisation")
    members = Membership.objects.exclude(organisation__in=managed).filter(person__is_active=True)
    first: dict[str, Membership] = {}
    for one in members.select_related("person").order_by("since", "pk"):
        first.setdefault(one.organisation, one)
    for one in first.values():
        _set_manager(view, one, manages=True)


def _set_roles(view: View, membership: Membership, roles: Sequence[Role]) -> None:
    """Change a membership, or end it and the tokens that stood on it; no older invitation brings back what it was."""
    person, organisation, now = membership.person, membership.organisation, timezone.now()
    with transaction.atomic():
        open_invitations(organisation).filter(email__iexact=person.email).update(withdrawn_at=now)
        if roles:
            membership.roles = [role.value for role in roles]
            membership.save(update_fields=["roles"])
            _log_membership(view, "membership.changed", membership)
            return
        ApiToken.objects.filter(person=person, organisation=organisation, revoked_at=None).update(revoked_at=now)
        membership.delete()
        _log_membership(view, "membership.ended", membership)


@contextmanager
def changing_roles(view: View, *organisations: Organisation) -> Iterator[None]:
    """Let the block save ``organisations`` as the actor of ``view``, and limit the roles of their members afterwards.

    Raises `BarredError` where people would lose a right over the whole base: it is taken from each by two operators.
    """
    for one in organisations if may_begin(Act.ORGANISATION_EDIT, view.actor) else ():
        taken = (roles_of(one.name) - roles_by(one.name, one.roles)) & BASE_WIDE
        for role in sorted(taken):
            if holders(role).filter(organisation=one.name).exists():
                raise BarredError("hub.role_held", organisation=one.name, role=Text(code=f"role.{role}"))
    yield
    for one in organisations:
        cut_memberships(operator_view(), one.name)


def cut_memberships(view: View, organisation: str | None = None) -> int:
    """Take from the members of an organisation (None: of all) the roles that it does not have; return of how many.

    What they act in is cut at every act in any case (`actor_of`): this lets the pages say so, and a role that the
    organisation takes on later is theirs only where somebody grants it.
    """
    found = Membership.objects.select_related("person")
    members = found.filter(organisation=organisation) if organisation is not None else found
    cut, known = 0, cache(roles_of)
    for membership in members:
        held = sorted(set(membership.roles) & {role.value for role in known(membership.organisation)})
        if held != sorted(membership.roles):
            membership.roles, cut = held, cut + 1
            with transaction.atomic():
                membership.save(update_fields=["roles"])
                _log_membership(view, "membership.cut", membership)
    return cut


def _use_up(invitation: Invitation, field: str = "used_at") -> None:
    now = timezone.now()
    untouched = Invitation.objects.filter(pk=invitation.pk, used_at=None, withdrawn_at=None, expires_at__gt=now)
    if untouched.update(**{field: now}) != 1:
        raise NotFoundError("hub.invitation_gone")


def _log_membership(view: View, action: str, membership: Membership) -> None:
    person, roles = membership.person, ", ".join(membership.roles)
    with view.transaction(action) as change:
        facts: dict[str, str | int] = {"roles": roles, "person": person.identity, "manages": membership.manages}
        subjects = [organisation_subject(membership.organisation)]
        change.record(action, subjects, facts, _logged_person(person.email, None))


def _logged_person(email: str, inviter: Person | None) -> bytes:
    """Return who it is about: kept apart from the log, so that erasing it leaves every proof valid."""
    return json.dumps({"email": email, "by": inviter.email if inviter else None}).encode()


def mail_of(invitation: Invitation, link: str, language: Language) -> EmailMessage:
    """Return the mail that brings the link of an invitation."""
    params = {
        "organisation": title_of(invitation.organisation, language),
        "link": link,
        "until": format_day(invitation.expires_at),
    }
    subject = text("hub.mail_invitation_subject", **params).render(language)
    return EmailMessage(subject, text("hub.mail_invitation", **params).render(language), None, [invitation.email])


def _post(mails: list[EmailMessage]) -> None:
    if len(mails) <= AT_ONCE:
        get_connection().send_messages(mails)
        return
    threading.Thread(target=_post_behind, args=(mails,), name="invitations").start()


def _post_behind(mails: list[EmailMessage]) -> None:
    try:
        get_connection().send_messages(mails)
    except (OSError, smtplib.SMTPException):
        _log.exception("mails of invitations did not go out")


def _organisations(view: View) -> dict[str, frozenset[Role]]:
    contents = (view.load(one.digest, Organisation) for one in every_listing(view, Query("organisation")))
    return {one.name: frozenset(one.roles) for one in contents}
