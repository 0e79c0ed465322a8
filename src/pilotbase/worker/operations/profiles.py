"""Profiles and capabilities."""

from __future__ import annotations

from pilotbase.catalogue.capabilities import read_capability, state_capability, withdraw_capability
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.capability import Capability, NewCapability
from pilotbase.documents.subjects import capability_subject
from pilotbase.operations import profiles as declared
from pilotbase.operations.matches import OfRecordWith
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.profiles import list_capabilities, profile_of

does(declared.SHOW)(lambda caller, asked: profile_of(caller.view, asked.subject))
does(declared.LIST)(lambda caller, asked: list_capabilities(caller.view, asked.q, asked.kind))
does(declared.READ)(lambda caller, asked: read_capability(caller.view, capability_subject(asked.owner, asked.name)))
does(declared.WITHDRAW)(
    lambda caller, asked: withdraw_capability(caller.view, capability_subject(asked.owner, asked.name))
)


@does(declared.STATE)
def _state(caller: Caller, asked: OfRecordWith[NewCapability]) -> Capability:
    said = asked.sent
    return state_capability(
        caller.view,
        filled(
            Capability,
            said,
            organisation=asked.owner,
            name=asked.name,
            sectors=tuple(sorted(said.sectors)),
            tasks=tuple(sorted(said.tasks)),
            data=tuple(sorted(said.data)),
            languages=said.languages or None,
            regions=said.regions or None,
            stated_at=caller.view.store.clock(),
        ),
    )
