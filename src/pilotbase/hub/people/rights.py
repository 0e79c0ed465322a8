"""Rights over the whole base: what one operator gives or takes takes effect when another consents.

Who is the only operator acts alone, and so does whoever works on the machine itself; the log says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from pilotbase.documents.errors import BarredError
from pilotbase.documents.permissions import ReadScope, roles_for
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.texts import Language
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.models import Membership, Person, RoleChange
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

BASE_WIDE = frozenset(roles_for(ReadScope.OVERVIEW))
"""Roles that see or do what is of the base as a whole."""
OPEN_FOR = timedelta(days=7)
"""So long a proposal waits for consent."""


def holders(role: Role) -> QuerySet[Membership]:
    """Return the memberships by which people have ``role``."""
    return Membership.objects.filter(roles__icontains=f'"{role}"')


def proposal(
    view: View, email: str, organisation: str, roles: Iterable[Role], language: Language = "en"
) -> RoleChange | None:
    """Return what another operator must consent to before ``email`` has ``roles``; None: nobody has to.

    Where the actor of ``view`` is the only operator, the log says that they act alone. Operators who are blocked count:
    nobody becomes the only one by blocking the others.
    """
    wanted, held = set(roles), _held(email, organisation)
    by = Person.objects.filter(identity=view.actor.person).first()
    resigns = by is not None and by.email.lower() == email.lower() and wanted <= held
    if by is None or resigns or not (wanted ^ held) & BASE_WIDE:
        return None
    if not holders(Role.OPERATOR).exclude(person=by).exists():
        _log(view, "rights.taken_alone", organisation, wanted)
        return None
    now = timezone.now()
    with transaction.atomic():
        RoleChange.objects.open().filter(email__iexact=email, organisation=organisation).delete()
        made = RoleChange.objects.create(
            email=email,
            organisation=organisation,
            roles=sorted(wanted),
            language=language,
            proposed_by=by,
            expires_at=now + OPEN_FOR,
        )
        _log(view, "rights.proposed", organisation, wanted, proposal=made.pk, person=by.identity)
    return made


def decide(view: View, number: int, effect: Callable[[RoleChange], None] | None = None) -> None:
    """Consent to a proposal, which then has its ``effect``; without one, refuse it. Who proposed it only withdraws it.

    Raises:
        NotFoundError: there is none, it has expired, or somebody has decided it.
        BarredError: nobody consents to what they have proposed themselves.
    """
    found = RoleChange.objects.open().filter(pk=number).first()
    by = Person.objects.filter(identity=view.actor.person).first()
    if found is None:
        raise NotFoundError("hub.not_found")
    if effect is not None and found.proposed_by == by:
        raise BarredError("hub.own_proposal")
    with transaction.atomic():
        consented = effect is not None
        decided = {"decided_by": by, "decided_at": timezone.now(), "consented": consented}
        if RoleChange.objects.open().filter(pk=number).update(**decided) != 1:
            raise NotFoundError("hub.not_found")
        if effect is not None:
            effect(found)
        action, person = "rights.consented" if consented else "rights.refused", view.actor.person or ""
        _log(view, action, found.organisation, map(Role, found.roles), proposal=number, person=person)


def _held(email: str, organisation: str) -> set[Role]:
    member = Membership.objects.filter(person__email__iexact=email, organisation=organisation).first()
    return set(map(Role, member.roles)) if member is not None else set()


def _log(view: View, action: str, organisation: str, roles: Iterable[Role], **facts: str | int) -> None:
    with view.transaction(action) as change:
        said: dict[str, str | int] = {"roles": ", ".join(sorted(roles)), **facts}
        change.record(action, [organisation_subject(organisation)], said)
