"""The ledger of a hub, for programs: what `pilotbase roadmap` asks a hub for."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.documents.ledger import LedgerTold, MapTold, RankingTold
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
