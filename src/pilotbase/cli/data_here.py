"""Datasets and agreements of the base on this machine: the same as `protocols.hub_client.HubClient` over a hub's API.

Whoever holds the home holds the keys of all in it: each step is taken for the organisation whose step it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.agreeing import act_of_new
from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.saving import save
from pilotbase.catalogue.subjects import new_agreement
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.permissions import PERMISSIONS, Act, Relation
from pilotbase.documents.record import Record
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class TermsHere:
    """What may be done about terms in a home; everything raises as the functions that it calls."""

    view: View

    def dataset(self, subject: str) -> Dataset:
        """Return the newest description of a dataset."""
        return self.view.load(self.record(subject).documents["dataset"], Dataset)

    def record(self, subject: str) -> Record:
        """Return where a dataset or an agreement stands."""
        return load_record(self.view, subject)[0]

    def save(self, subject: str, content: Dataset) -> Record:
        """Save a dataset for its owner."""
        return save(self._acting(content.owner.organisation, Role.DEMAND_OWNER), content, subject=subject)

    def agree(self, terms: Agreement, by: str) -> Record:
        """Offer an agreement for its assigner, or take up a published offer for its assignee."""
        acting = self._acting(by, Role.DEMAND_OWNER if by == terms.assigner else Role.SUPPLIER)
        return advance(acting, new_agreement(), act_of_new(acting, terms.dataset), Move(terms))

    def take(self, subject: str, act: Act, note: str = "") -> Record:
        """Take a step for the organisation whose step it is."""
        record = self.record(subject)
        of_owner = any(grant.relation is Relation.OWNER for grant in PERMISSIONS[act])
        organisation = record.demand_owner if of_owner else record.supplier
        role = Role.DEMAND_OWNER if of_owner else Role.SUPPLIER
        return advance(self._acting(organisation or "", role), subject, act, Move(note=note))

    def _acting(self, organisation: str, role: Role) -> View:
        return self.view.as_actor(Actor(organisation, frozenset({role})))
