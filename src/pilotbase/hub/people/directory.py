"""The people of a hub: who they are, whether they can sign in, what acts for them; and what operators do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allauth.mfa.models import Authenticator  # type: ignore[import-untyped]
from allauth.usersessions.models import UserSession  # type: ignore[import-untyped]
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from pilotbase.documents.api import people
from pilotbase.documents.api.people import AccountState
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import BarredError
from pilotbase.documents.permissions import DeskAct
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import RequestActor, language, roles_held
from pilotbase.hub.models import ApiToken, Invitation, Membership, Person, RoleChange, SignUpDomain
from pilotbase.hub.people.invitations import consent, invite, may_invite, open_invitations, set_roles
from pilotbase.hub.people.joining import end_domain, set_domain
from pilotbase.hub.people.rights import decide
from pilotbase.hub.people.tokens import end_token, working_tokens
from pilotbase.operations.people import NewDomain, OfDomain, PeopleAsked, RolesWanted
from pilotbase.worker.operations.binding import there
from pilotbase.workspace.store import View

_FACTORS = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)


@dataclass(frozen=True)
class HubAccounts:
    """What ``acting`` sees of the accounts and does to them."""

    acting: RequestActor

    def me(self) -> people.Caller:
        """Return the person, whom they act for, and every organisation that they may act for."""
        person = self.acting.person
        assert person is not None
        memberships = [_membership(one) for one in self.acting.memberships]
        acting_for = self.acting.organisation
        return people.Caller(person=person.identity, name=person.name, acting_for=acting_for, memberships=memberships)

    def invitations(self, organisation: str) -> list[people.Invitation]:
        """Return the invitations into ``organisation`` whose links work, newest first."""
        return [people.Invitation.model_validate(one) for one in open_invitations(organisation)]

    def invite(self, organisation: str, email: str, roles: Sequence[Role]) -> people.Invitation:
        """Invite ``email`` and return the invitation with its link; raises as `invite`."""
        sent = invite(self.acting.view, self.acting.person, email, organisation, roles, language())
        if isinstance(sent, RoleChange):
            return people.Invitation.model_validate(sent).model_copy(update={"waits_for_consent": True})
        return people.Invitation.model_validate(sent.invitation).model_copy(update={"link": sent.link})

    def domains(self, organisation: str) -> list[people.JoiningDomain]:
        """Return the email domains by which people join ``organisation``."""
        found = SignUpDomain.objects.filter(organisation=organisation).order_by("domain")
        return [people.JoiningDomain.model_validate(one) for one in found]

    def set_domain(self, wanted: NewDomain) -> None:
        """Let the people of an email domain join an organisation; raises as `set_domain`."""
        set_domain(self.acting.view, wanted.domain, wanted.name, wanted.roles)

    def end_domain(self, asked: OfDomain) -> None:
        """Let nobody more join by an email domain; raises `NotFoundError`."""
        end_domain(self.acting.view, asked.domain, asked.name)

    def find(self, asked: PeopleAsked) -> people.AccountPage:
        """Return people by name, or invitations, the newest first; raises `NotFoundError` for an unknown ``after``."""
        if asked.state is AccountState.INVITED:
            return self._invited(asked)
        found = self._people(asked)
        rows = found
        if asked.after:
            last = there(found.filter(identity=asked.after).first())
            rows = found.filter(Q(name__gt=last.name) | Q(name=last.name, pk__gt=last.pk))
        shown = list(rows.order_by("name", "pk")[: asked.limit + 1])
        more = shown[asked.limit - 1].identity if len(shown) > asked.limit else None
        items = list(map(self._account, shown[: asked.limit]))
        total = found.count() if more or asked.after else len(items)
        return people.AccountPage(items=items, total=total, next=more)

    def show(self, identity: str) -> people.AccountDetails:
        """Return one person; raises `NotFoundError` for whom the caller does not see."""
        return self._details(there(self._people(PeopleAsked()).filter(identity=identity).first()))

    def _details(self, person: Person) -> people.AccountDetails:
        manages, tokens = self.acting.may(DeskAct.MANAGE), working_tokens().filter(person=person)
        return filled(
            people.AccountDetails,
            self._account(person),
            joined_at=person.joined_at,
            sessions=UserSession.objects.filter(user=person).count() if manages else None,
            tokens=[filled(people.AccountToken, one, token=one.pk) for one in tokens] if manages else [],
            proposals=[
                one
                for one in self.proposals()
                if one.email.lower() == person.email.lower() and may_invite(self.acting.view, one.organisation)
            ],
        )

    def block(self, identity: str) -> people.AccountDetails:
        """Let a person do nothing more, in a browser or by programs, until they are unblocked.

        Raises:
            NotFoundError: there is no such person.
            BarredError: nobody blocks themselves.
        """
        self._require_other(identity)
        return self._set_active(identity, active=False)

    def unblock(self, identity: str) -> people.AccountDetails:
        """Let a person in again; raises `NotFoundError`."""
        return self._set_active(identity, active=True)

    def end_sessions(self, identity: str) -> None:
        """Sign a person out of every browser; raises `NotFoundError`."""
        person = _person(identity)
        ended = [session.end() for session in UserSession.objects.filter(user=person)]
        if ended:
            log_about(self.acting.view, "person.signed_out", person, sessions=len(ended))

    def reset_factor(self, identity: str) -> None:
        """Take second factor and recovery codes of a person away, and sign them out: they set it up anew.

        Raises:
            NotFoundError: there is no such person.
            BarredError: nobody resets their own.
        """
        self._require_other(identity)
        person = _person(identity)
        taken, _ = Authenticator.objects.filter(user=person).delete()
        self.end_sessions(identity)
        if taken:
            log_about(self.acting.view, "person.factor_reset", person)

    def revoke_token(self, identity: str, number: int) -> None:
        """Let a token of a person work no more; raises `NotFoundError` for one that they never had."""
        end_token(self.acting.view, there(ApiToken.objects.filter(person__identity=identity, pk=number).first()))

    def set_roles(self, wanted: RolesWanted) -> people.AccountDetails:
        """Change what a person is in an organisation; raises as `set_roles`, and `NotFoundError`: no member there."""
        members = Membership.objects.select_related("person").filter(person__identity=wanted.person)
        member = there(members.filter(organisation=wanted.organisation).first())
        set_roles(self.acting.view, member, wanted.roles, wanted.manages)
        return self._details(self._everybody().get(pk=member.person.pk))

    def proposals(self) -> list[people.ProposedRoles]:
        """Return what waits for the consent of a second operator, oldest first."""
        waiting = RoleChange.objects.open()
        return [filled(people.ProposedRoles, one, number=one.pk, proposed_by=one.proposed_by.name) for one in waiting]

    def consent(self, number: int) -> None:
        """Let a proposal take effect; raises as `consent`."""
        consent(self.acting.view, number)

    def refuse(self, number: int) -> None:
        """Refuse a proposal, or withdraw one's own; raises `NotFoundError`."""
        decide(self.acting.view, number)

    def _require_other(self, identity: str) -> None:
        if self.acting.person is not None and self.acting.person.identity == identity:
            raise BarredError("hub.not_oneself")

    def _set_active(self, identity: str, *, active: bool) -> people.AccountDetails:
        person = _person(identity)
        with transaction.atomic():
            if Person.objects.filter(pk=person.pk, is_active=not active).update(is_active=active):
                log_about(self.acting.view, "person.unblocked" if active else "person.blocked", person)
        return self.show(identity)

    def _members(self, asked: PeopleAsked) -> QuerySet[Membership]:
        """Return the memberships that the caller sees: all of them, or those of their own organisation."""
        found = Membership.objects.all()
        if not self.acting.actor.sees_all:
            found = found.filter(organisation=self.acting.organisation)
        return _narrowed(found, asked)

    def _everybody(self) -> QuerySet[Person]:
        """Return all people, with those of their memberships that the caller sees."""
        found = Person.objects.annotate(second_factor=Exists(_FACTORS.filter(user=OuterRef("pk"))))
        return found.prefetch_related(Prefetch("memberships", self._members(PeopleAsked()).order_by("organisation")))

    def _people(self, asked: PeopleAsked) -> QuerySet[Person]:
        found = self._everybody()
        if asked.organisation or asked.role or not self.acting.actor.sees_all:
            found = found.filter(pk__in=self._members(asked).values("person"))
        if asked.state is not None:
            # "in" one value: a bare truth value is not found by an index.
            found = found.filter(is_active__in=[asked.state is AccountState.ACTIVE])
        return found.filter(Q(name__icontains=asked.q) | Q(email__icontains=asked.q)) if asked.q else found

    def _account(self, person: Person) -> people.AccountSummary:
        state = AccountState.ACTIVE if person.is_active else AccountState.BLOCKED
        held = [_membership(one) for one in person.memberships.all()]  # type: ignore[attr-defined]
        return filled(people.AccountSummary, person, person=person.identity, state=state, memberships=held)

    def _invited(self, asked: PeopleAsked) -> people.AccountPage:
        own = "" if self.acting.actor.sees_all else self.acting.organisation
        found = _narrowed(open_invitations(own), asked)
        if asked.q:
            found = found.filter(email__icontains=asked.q)
        rows = found.filter(pk__lt=_number(asked.after)) if asked.after else found
        shown = list(rows.order_by("-pk")[: asked.limit + 1])
        more = str(shown[asked.limit - 1].pk) if len(shown) > asked.limit else None
        return people.AccountPage(items=list(map(_guest, shown[: asked.limit])), total=found.count(), next=more)


def log_about(view: View, action: str, person: Person, **facts: str | int) -> None:
    """Enter into the log of the base what was done about a person."""
    of = Membership.objects.filter(person=person).values_list("organisation", flat=True)
    with view.transaction(action) as change:
        subjects = [organisation_subject(organisation) for organisation in of]
        change.record(action, subjects, {"person": person.identity, **facts})


def _narrowed(found: QuerySet, asked: PeopleAsked) -> QuerySet:  # type: ignore[type-arg]
    """Return those memberships or invitations that are of the organisation and the role asked for."""
    if asked.organisation:
        found = found.filter(organisation=asked.organisation)
    return found.filter(roles__icontains=f'"{asked.role}"') if asked.role else found


def _person(identity: str) -> Person:
    return there(Person.objects.filter(identity=identity).first())


def _number(after: str) -> int:
    return there(int(after) if after.isdecimal() else None)


def _membership(one: Membership) -> people.Membership:
    held = sorted(roles_held(one.organisation, one.roles))
    return people.Membership(organisation=one.organisation, roles=held, manages=one.manages)


def _guest(one: Invitation) -> people.AccountSummary:
    return people.AccountSummary(
        person="",
        name=one.email,
        email=one.email,
        state=AccountState.INVITED,
        second_factor=False,
        seen_at=None,
        memberships=[people.Membership(organisation=one.organisation, roles=one.roles)],
    )
