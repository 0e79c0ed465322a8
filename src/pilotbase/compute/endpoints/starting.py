"""The start of an endpoint's worker: what the operator allows is asked before anything is sent."""

from __future__ import annotations

import contextlib

from pilotbase.compute.box.settings import BoxSettings
from pilotbase.compute.endpoints.calls import CallLog
from pilotbase.compute.endpoints.operator import EndpointSettings
from pilotbase.compute.endpoints.worker import EndpointAccess, EndpointWorker
from pilotbase.documents.contract import Contract
from pilotbase.documents.endpoint import Endpoint
from pilotbase.protocols.guarded_http import NoAnswerError


def start_endpoint(
    endpoint: Endpoint, supplier: str, contract: Contract, settings: BoxSettings, calls: CallLog
) -> EndpointWorker:
    """Return a worker whose endpoint has said that it is there; close it after use.

    Raises:
        RefusedError: the address is private or of plain http and not listed, or the operator keeps no such key for it.
        InputError: the file of keys cannot be read.
        BoxEnded: the endpoint is not there, refuses, or does not fit the contract; the reason says why.
    """
    operator = EndpointSettings.from_environment()
    with contextlib.suppress(NoAnswerError):  # it is told as the endpoint's end, which others are, too
        operator.guard.check(endpoint.url)
    access = EndpointAccess(operator.guard, operator.key_for(supplier, endpoint))
    return EndpointWorker(endpoint, contract, settings, access, calls)
