"""The watch of a service."""

from __future__ import annotations

from collections.abc import Sequence

from pilotbase.documents.observation import Taken
from pilotbase.documents.watch import Replay, WatchTerms
from pilotbase.operations import watch as declared
from pilotbase.operations.services import OfServiceWith
from pilotbase.watch import arming, audits, status, warnings
from pilotbase.watch.observations import Batch, erase_case, ingest, require_taken
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.workspace.failures import NotFoundError

does(declared.SHOW)(lambda caller, asked: status.status_of(caller.view, asked.service))
does(declared.AUDIT)(lambda caller, asked: audits.work_list(caller.view, asked.service))
does(declared.PATH_OF)(lambda caller, asked: list(status.path(caller.view, asked.service, asked.detector)))
does(declared.WARNINGS_OF)(lambda caller, asked: list(status.list_warnings(caller.view, asked.service)))
does(declared.WARNINGS)(lambda caller, asked: list(status.list_warnings(caller.view)))
does(declared.ARM)(lambda caller, asked: arming.arm(caller.view, asked.service, asked.replay))
does(declared.DISARM)(lambda caller, asked: arming.disarm(caller.view, asked.service))
does(declared.ACKNOWLEDGE)(lambda caller, asked: warnings.acknowledge(caller.view, asked.digest, asked.note))
does(declared.END_SILENCE)(lambda caller, asked: warnings.end_silence(caller.view, asked.service, asked.detector))
does(declared.ERASE)(lambda caller, asked: erase_case(caller.view, asked.service, asked.case))
does(declared.SILENCE)(
    lambda caller, asked: warnings.silence(caller.view, asked.service, asked.reason, asked.until, asked.detector)
)
does(declared.OBSERVE)(lambda caller, asked: require_taken(_ingested(caller, asked.service, [asked.sent])))
does(declared.LABEL)(lambda caller, asked: require_taken(_ingested(caller, asked.service, [asked.sent])))
does(declared.HAND_IN)(lambda caller, asked: _ingested(caller, asked.service, asked.batches))


@does(declared.REPLAY)
def replay(caller: Caller, asked: OfServiceWith[WatchTerms]) -> Replay:
    """Return the warnings that a watch on these terms would have given."""
    lab = caller.base.lab
    return arming.replay_watch(lab, caller.view, arming.prepare_watch(lab, caller.view, asked.service, asked.sent))


def _ingested(caller: Caller, service: str, batches: Sequence[Batch]) -> Taken:
    """Take in batches for the service in the address, if the caller's key, if any, opens that service."""
    for batch in batches:
        if batch.service != service or (caller.service or service) != service:
            raise NotFoundError("workspace.not_found", name=batch.service)
    return ingest(caller.view, batches)
