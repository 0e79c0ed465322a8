"""Declared operations called on a hub, typed by what each takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pydantic

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.given_files import File
from pilotbase.documents.hashes import Digest
from pilotbase.operations.operation import NOTHING, In, Operation, Out
from pilotbase.protocols.guarded_http import GuardedResponse
from pilotbase.protocols.hub_requests import HubRequests


@dataclass(frozen=True)
class HubCalls:
    """What a person may do on a hub; everything raises as `HubRequests.send`.

    HubCalls(HubRequests("https://hub.example", token)).call(services.SHOW, services.OfService(service="milling"))
    """

    requests: HubRequests

    def call(self, operation: Operation[In, Out], asked: In, seen: Digest | None = None) -> Out:
        """Return what the operation gives; ``seen``: refused where another version stands there by now.

        Raises `PilotbaseError`, too, where the hub answers anything else.
        """
        answer = self._send(operation, asked, seen)
        if operation.gives is NOTHING:
            return None  # type: ignore[return-value]
        if operation.gives_file:
            name = unquote(answer.headers.get("content-disposition", "").partition("''")[2])
            return File.of(name, answer.body)  # type: ignore[return-value]
        try:
            return pydantic.TypeAdapter(operation.gives).validate_json(answer.body)
        except pydantic.ValidationError as error:
            raise PilotbaseError("protocol.hub_unreadable", found=operation.name) from error

    def _send(self, operation: Operation[In, Out], asked: In, seen: Digest | None) -> GuardedResponse:
        path, body = operation.address(asked), _sent(operation, asked)
        if not operation.writes:
            return self.requests.get(path, {name: _spelled(value) for name, value in body.items()})
        if operation.method == "DELETE":
            return self.requests.send("DELETE", path)
        if operation.takes_bytes:
            return self.requests.send(operation.method, path, body, {"Content-Type": operation.media})
        return self.requests.write(operation.method, path, body, seen)


def _sent(operation: Operation[In, Out], asked: In) -> Any:
    """Return what is said besides the address; what nobody said is left to the hub's own default."""
    if operation.whole is not None:
        whole = getattr(asked, operation.whole)
        return whole if operation.takes_bytes else whole.model_dump(mode="json", by_alias=True, exclude_none=True)
    said = asked.model_fields_set.intersection(operation.others)
    return asked.model_dump(mode="json", by_alias=True, include=said)


def _spelled(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
