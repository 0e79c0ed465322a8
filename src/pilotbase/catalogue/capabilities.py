"""Capabilities of suppliers, service providers and experts, in the words of their organisation.

Each stands in the store under its own name and has a listing, so that it is found by words and by meaning. It has no
record: nothing is decided about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pilotbase.catalogue.records import both_languages, everything, organisation_of
from pilotbase.documents.capability import Capability, CapabilityKind
from pilotbase.documents.errors import InputError
from pilotbase.documents.subjects import name_of, organisation_subject
from pilotbase.workspace.actors import PUBLIC, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Listing, Query, put_listing
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

CAPABILITIES = Query("capability", states=("stated",))


def state_capability(view: View, capability: Capability) -> Capability:
    """State a capability of an organisation, or state it anew; the same again within a year changes nothing.

    Raises:
        InputError: no such organisation.
        NotFoundError: the actor may not speak for it.
    """
    state_all(view, [capability], "capability.stated")
    return read_capability(view, capability.subject)


def state_all(view: View, capabilities: Sequence[Capability], action: str) -> int:
    """State several capabilities in one transaction and return how many are new or changed; raises as one does."""
    changed = 0
    for organisation in sorted({one.organisation for one in capabilities}):
        if not view.actor.may_write_for(organisation):
            raise NotFoundError("record.not_found", subject=organisation_subject(organisation))
        if organisation_of(everything(view), organisation) is None:
            raise InputError("capability.no_organisation", organisation=organisation)
    with view.transaction(action) as change:
        for one in capabilities:
            if not is_stated(view, one):
                _put(change, view, one)
                changed += 1
    return changed


def is_stated(view: View, capability: Capability) -> bool:
    """Return whether it stands in the same words, and not so long that it should be confirmed."""
    known = view.load_head(capability.subject, Capability)
    if known is None or known.is_stale(capability.stated_at):
        return False
    return known == capability.model_copy(update={"stated_at": known.stated_at})


def withdraw_capability(view: View, subject: str) -> None:
    """Withdraw a capability: nobody finds it any more but its organisation; withdrawn again, it stays so.

    Raises:
        NotFoundError: the actor sees none of that name.
        RefusedError: the actor may not speak for its organisation.
    """
    known = read_capability(view, subject)
    view.actor.require_writes_for(known.organisation)
    if not known.withdrawn:
        with view.transaction("capability.withdrawn") as change:
            _put(change, view, known.model_copy(update={"withdrawn": True, "stated_at": change.now}))
            change.change_visibility(known.digest(), parties())


def _put(change: Transaction, view: View, capability: Capability) -> None:
    seen_by = parties() if capability.withdrawn else PUBLIC
    digest = change.put(capability, seen_by, owner=capability.organisation)
    change.let_stand(capability.subject, digest)
    title, summary = both_languages(capability.title), both_languages(capability.summary)
    words = (name_of(capability.subject), title.en, title.zh, summary.en, summary.zh, *capability.references)
    listing = Listing(
        subject=capability.subject,
        kind="capability",
        state=capability.state,
        digest=digest,
        owner=capability.organisation,
        title=title,
        sector=capability.sectors[0].value if len(capability.sectors) == 1 else "",
        words="\n".join(dict.fromkeys(word for word in words if word)),
        facets=kind_facet(capability.kind),
    )
    put_listing(change, listing, [])


def kind_facet(kind: CapabilityKind) -> str:
    """Return the facet line of a kind, to list its capabilities."""
    return f"\x1fkind={kind.value}\x1f"


def read_capability(view: View, subject: str) -> Capability:
    """Return a capability that the actor sees; raises `NotFoundError`."""
    found = view.load_head(subject, Capability)
    if found is None:
        raise NotFoundError("capability.not_found", subject=name_of(subject))
    return found


def capabilities_of(view: View, listings: Iterable[Listing]) -> list[Capability]:
    """Return the listed capabilities; one that has become invisible meanwhile is left out."""
    listed = list(listings)
    stored = view.get_all([one.digest for one in listed])
    return capabilities_in(stored[one.digest] for one in listed if one.digest in stored)


def capabilities_in(stored: Iterable[Stored]) -> list[Capability]:
    """Return the capabilities in documents of the store."""
    return [one.load(Capability) for one in stored]
