"""The catalogue of datasets on a hub, as the command line asks of it here and there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pilotbase.documents.api.datasets import Contributions, DatasetPage
from pilotbase.protocols.hub_client import HubClient, read_model


@dataclass(frozen=True)
class HubDatasets:
    """What is told of datasets on a hub; everything raises as `HubRequests.send`."""

    client: HubClient

    def found(self, asked: Mapping[str, str]) -> DatasetPage:
        """Return the newest datasets that are asked for, by ``q`` and the names of facets."""
        return read_model(DatasetPage, self.client.requests.get("/catalogue/datasets", dict(asked)))

    def contributions(self, owner: str) -> Contributions:
        """Return what came of the datasets that the caller sees, of ``owner`` only where one is named."""
        return read_model(Contributions, self.client.requests.get("/catalogue/contributions", {"owner": owner}))
