"""The watch of a service."""

from __future__ import annotations

from pilotbase.documents.observation import Taken
from pilotbase.documents.watch import Replay, Silence
from pilotbase.operations import watch as declared
from pilotbase.watch import arming, silences, status
from pilotbase.watch.observations import ingest, require_taken
from pilotbase.watch.retention import erase_case
from pilotbase.worker.bound.binding import Caller, does
from pilotbase.workspace.failures import NotFoundError

does(declared.SHOW)(lambda caller, asked: status.status_of(caller.view, asked.service))
does(declared.PATH_OF)(lambda caller, asked: list(status.path(caller.view, asked.service, asked.detector)))
does(declared.WARNINGS_OF)(lambda caller, asked: list(status.list_warnings(caller.view, asked.service)))
does(declared.WARNINGS)(lambda caller, asked: list(status.list_warnings(caller.view)))
does(declared.ARM)(lambda caller, asked: arming.arm(caller.view, asked.service, asked.replay))
does(declared.DISARM)(lambda caller, asked: arming.disarm(caller.view, asked.service))
does(declared.ACKNOWLEDGE)(lambda caller, asked: silences.acknowledge(caller.view, asked.digest, asked.note))
does(declared.END_SILENCE)(lambda caller, asked: silences.end_silence(caller.view, asked.service, asked.detector))
does(declared.ERASE)(lambda caller, asked: erase_case(caller.view, asked.service, asked.case))


@does(declared.OBSERVE)
def observe(caller: Caller, asked: declared.Observed) -> Taken:
    """Take in a batch of cases."""
    _require_own(caller, asked.service, asked.batch.service)
    return require_taken(ingest(caller.view, [asked.batch]))


@does(declared.LABEL)
def label(caller: Caller, asked: declared.Labelled) -> Taken:
    """Take in a batch of labels."""
    _require_own(caller, asked.service, asked.batch.service)
    return require_taken(ingest(caller.view, [asked.batch]))


@does(declared.HAND_IN)
def submit(caller: Caller, asked: declared.Batches) -> Taken:
    """Take in many batches; the answer lists what is refused."""
    for batch in asked.batches:
        _require_own(caller, asked.service, batch.service)
    return ingest(caller.view, asked.batches)


@does(declared.REPLAY)
def replay(caller: Caller, asked: declared.OnTerms) -> Replay:
    """Return the warnings that a watch on these terms would have given."""
    lab = caller.base.lab
    return arming.replay_watch(lab, caller.view, arming.prepare_watch(lab, caller.view, asked.service, asked.terms))


@does(declared.SILENCE)
def silence(caller: Caller, asked: declared.NewSilence) -> Silence:
    """Silence notices."""
    return silences.silence(caller.view, asked.service, asked.reason, asked.until, asked.detector)


def _require_own(caller: Caller, service: str, named: str) -> None:
    """Return if the batch is for the service in the address, and the caller's key, if any, opens that service."""
    if named != service or (caller.service or service) != service:
        raise NotFoundError("workspace.not_found", name=named)
