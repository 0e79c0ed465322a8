"""Datasets and agreements on a hub, as the command line asks of them here and there."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.protocols.hub_client import HubClient


@dataclass(frozen=True)
class HubTerms:
    """What a person may do about terms on a hub; everything raises as `HubRequests.send`."""

    client: HubClient

    def dataset(self, subject: str) -> Dataset:
        """Return the newest description of a dataset."""
        found = self.client.content(subject)
        assert isinstance(found, Dataset)
        return found

    def record(self, subject: str) -> Record:
        """Return where a dataset or an agreement stands."""
        return self.client.record(subject)

    def save(self, subject: str, content: Dataset) -> Record:
        """Save a dataset, or publish a later version of one that is published."""
        return self.client.save(subject, content)

    def agree(self, terms: Agreement, by: str) -> Record:
        """Offer an agreement, or take up a published offer: who the token acts for says which."""
        del by
        return self.client.agree(terms)

    def take(self, subject: str, act: Act, note: str = "") -> Record:
        """Take a step."""
        return self.client.take(subject, act, note)
