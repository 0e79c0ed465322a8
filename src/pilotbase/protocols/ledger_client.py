"""The ledger of a hub, for programs: what `pilotbase roadmap` asks a hub for."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.documents.api.ledger import LedgerTold, MapTold, RankingTold, RoadmapTold
from pilotbase.documents.roadmap import Roadmap
from pilotbase.protocols.hub_client import read_model
from pilotbase.protocols.hub_requests import HubRequests


@dataclass(frozen=True)
class LedgerClient:
    """What operator, regulator and demand owners read of a hub's ledger; everything raises as `HubRequests.send`."""

    requests: HubRequests

    def ledger(self) -> LedgerTold:
        """Return the ledger of the base, or the caller's part of it."""
        return read_model(LedgerTold, self.requests.get("/ledger"))

    def map(self) -> MapTold:
        """Return six actions × eight supports."""
        return read_model(MapTold, self.requests.get("/ledger/map"))

    def ranking(self, **asked: int) -> RankingTold:
        """Return scenarios ranked; ``asked``: potential, maturity, driving_effect, top, within (percent)."""
        said = {name: str(number) for name, number in asked.items()}
        return read_model(RankingTold, self.requests.get("/ledger/ranking", said))

    def roadmap(self) -> RoadmapTold:
        """Return the roadmap, or the caller's tasks of it."""
        return read_model(RoadmapTold, self.requests.get("/roadmap"))

    def set_roadmap(self, roadmap: Roadmap) -> RoadmapTold:
        """Let ``roadmap`` stand in place of what was there."""
        return read_model(RoadmapTold, self.requests.write("PUT", "/roadmap", roadmap.to_json_value()))
