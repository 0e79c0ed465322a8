"""Services on a hub: the same as `worker.services.BaseServices`, over its API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pydantic

from pilotbase.documents.api.services import (
    ListedService,
    NewBudget,
    NewKey,
    NewOverride,
    NewService,
    SeenBudget,
    SeenKey,
    SeenService,
    ServiceMove,
    UsageRow,
)
from pilotbase.documents.service import ServiceStanding, ServiceTerms
from pilotbase.protocols.hub_client import read_list, read_model
from pilotbase.protocols.hub_requests import HubRequests


@dataclass(frozen=True)
class HubServices:
    """What a person may do to services on a hub; everything raises as `HubRequests.send`."""

    requests: HubRequests

    def all(self) -> list[ListedService]:
        """Return the services that the caller sees, by name."""
        return read_list(ListedService, self.requests.get("/services"))

    def show(self, name: str) -> SeenService:
        """Return a service and where it stands."""
        return read_model(SeenService, self.requests.get(f"/services/{name}"))

    def create(self, wanted: NewService) -> SeenService:
        """Put a certified application into service."""
        return read_model(SeenService, self.requests.write("POST", "/services", _spelled(wanted)))

    def override(self, wanted: NewOverride) -> SeenService:
        """Admit an endpoint for a time, on the operator's signed word."""
        return read_model(SeenService, self.requests.write("POST", "/services/overrides", _spelled(wanted)))

    def set_terms(self, name: str, wanted: ServiceTerms) -> SeenService:
        """Let a service answer on other terms."""
        return read_model(SeenService, self.requests.write("PUT", f"/services/{name}/terms", _spelled(wanted)))

    def move(self, name: str, move: ServiceMove, reason: str) -> SeenService:
        """Stop, start, fall back or hand over to a person."""
        answer = self.requests.write("POST", f"/services/{name}/moves/{move}", {"reason": reason})
        return read_model(SeenService, answer)

    def history(self, name: str) -> list[ServiceStanding]:
        """Return how a service has stood, newest first."""
        return read_list(ServiceStanding, self.requests.get(f"/services/{name}/history"))

    def keys(self, name: str) -> list[SeenKey]:
        """Return the keys of a service, newest first, without their secrets."""
        return read_list(SeenKey, self.requests.get(f"/services/{name}/keys"))

    def create_key(self, name: str, wanted: NewKey) -> SeenKey:
        """Make a key; its secret is in the answer and nowhere else."""
        return read_model(SeenKey, self.requests.write("POST", f"/services/{name}/keys", _spelled(wanted)))

    def revoke_key(self, name: str, key: str) -> None:
        """Let a key open nothing more."""
        self.requests.send("DELETE", f"/services/{name}/keys/{key}")

    def budgets(self, name: str) -> list[SeenBudget]:
        """Return where each budget of a service stands."""
        return read_list(SeenBudget, self.requests.get(f"/services/{name}/budgets"))

    def set_budget(self, name: str, budget: str, wanted: NewBudget) -> SeenBudget:
        """Set a budget, new or changed."""
        answer = self.requests.write("PUT", f"/services/{name}/budgets/{budget}", _spelled(wanted))
        return read_model(SeenBudget, answer)

    def usage(self, name: str, days: int = 30) -> list[UsageRow]:
        """Return what was used in the last days."""
        return read_list(UsageRow, self.requests.get(f"/services/{name}/usage", {"days": str(days)}))


def _spelled(wanted: pydantic.BaseModel) -> Any:
    return wanted.model_dump(mode="json", by_alias=True, exclude_none=True)
