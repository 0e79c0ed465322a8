"""Risk warnings: written when a detector takes another colour, one after the other under the detector's own name."""

from __future__ import annotations

from collections.abc import Iterable

from pilotbase.documents.hashes import Digest, digest_bytes
from pilotbase.documents.service import Service
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour
from pilotbase.documents.watch import RiskWarning
from pilotbase.watch.following import ColourChange
from pilotbase.workspace.actors import Visibility
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

KIND = "risk-warning"
REARMED = "watching.rearmed"
"""Reason of the green that arming anew, or disarming, writes: what was warned of has not passed for all that."""
_LONGEST = 200


def raise_warnings(change: Transaction, view: View, service: Stored, turns: Iterable[ColourChange]) -> list[Digest]:
    """Write a warning for every turn and return their digests; who sees the service sees its warnings."""
    raised = []
    for turn in turns:
        warning = RiskWarning(
            service=service.load(Service).name,
            signal=turn.signal,
            detector=turn.detector,
            colour=turn.colour,
            reason=turn.reason,
            promise=turn.promise,
            seen_to=turn.seen,
            began=turn.began,
            at=change.now,
        )
        raised.append(_write(change, warning, service.owner, service.visibility))
    return raised


def end_warnings(change: Transaction, view: View, service: Stored, standing: Iterable[RiskWarning]) -> None:
    """Write that what a watch has warned of is looked at anew: it was armed again, or disarmed."""
    for warning in standing:
        ended = {"colour": Colour.GREEN, "reason": text(REARMED), "at": change.now}
        _write(change, warning.model_copy(update=ended), service.owner, service.visibility)


def warnings_of(view: View, service: str, limit: int = 100) -> list[tuple[Digest, RiskWarning]]:
    """Return the warnings of a service that the actor sees, newest first, each with its digest."""
    return [(one.digest, one.load(RiskWarning)) for one in view.find(KIND, {"service": service}, limit)]


def all_warnings(view: View, limit: int = 100) -> list[tuple[Digest, RiskWarning]]:
    """Return the warnings of all services that the actor sees, newest first, each with its digest."""
    return [(one.digest, one.load(RiskWarning)) for one in view.find(KIND, limit=limit)]


def standing_warnings(view: View, service: str, limit: int = 1000) -> dict[Digest, RiskWarning]:
    """Return digest → warning for every detector that has a colour now, newest first."""
    latest: dict[str, tuple[Digest, RiskWarning]] = {}
    for digest, warning in warnings_of(view, service, limit):
        latest.setdefault(warning.detector, (digest, warning))
    return {digest: warning for digest, warning in latest.values() if warning.colour is not Colour.GREEN}


def head_of(service: str, detector: str) -> str:
    """Return the name under which the newest warning of a detector stands in the store."""
    name = f"warning:{service}/{detector}"
    return name if len(name) <= _LONGEST else f"warning:{service}/{digest_bytes(detector.encode())}"


def _write(change: Transaction, warning: RiskWarning, owner: str, visibility: Visibility) -> Digest:
    fields = {"service": warning.service, "detector": warning.detector, "colour": warning.colour.value}
    digest = change.put(warning, visibility, owner=owner, fields=fields)
    change.let_stand(head_of(warning.service, warning.detector), digest)
    return digest
