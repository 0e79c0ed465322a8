"""A file of observations and labels for a hub: read on this machine, sent in batches that its API takes.

The API takes cases that were answered at one moment and ended alike, so each such group of a file's rows is a batch;
batches go many at once, for a file's moments are mostly all different.
Batches are named by the file's content: the same file again names the same batches, and changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from pilotbase.cli.framework.driving import build_request
from pilotbase.documents.api.watch import MAXIMUM_BATCHES, SentBatch
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.observation import LabelBatch, ObservationBatch, Taken
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.service import CertifiedRoute
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.operations import services
from pilotbase.operations.records import REPORT
from pilotbase.operations.trials import OfTrial
from pilotbase.operations.watch import HAND_IN, Batches
from pilotbase.protocols.hub_requests import HubCalls
from pilotbase.watch.files import read_batches
from pilotbase.watch.labels import sum_of
from pilotbase.watch.observations import Batch
from pilotbase.watch.packs import PackedBatch, moment_of

MOST_BYTES = 1 << 20
"""Of what is sent at once, as JSON: half of what a hub reads."""
WORDS_ONLY = (".csv",)
"""Files that do not say what is a number: the contract does."""
_LONGEST_NAME = 100


def send_file(hub: HubCalls, service: str, path: Path, on_progress: OnProgress) -> Taken:
    """Send what a file holds and return what came of it; what is refused stands in it, and the rest is taken.

    Raises:
        InputError: as `read_batches`, and nothing was sent; or the contract to read a CSV by is not to be had.
        PilotbaseError: as `HubRequests.send`; what was sent before is taken.
    """
    contract, known = _contract(hub, service)
    whole = [batch for portion in read_batches(path, service, contract) for batch in portion]
    if not known and _is_of_words(path, whole):
        raise InputError("cli.hub_no_contract", service=service, file=path.name)
    total, taken, done = sum(map(_size, whole)), Taken(), 0
    for together in _requests(piece for one in whole for piece in sendable(one, MOST_BYTES)):
        on_progress(Progress(text("protocol.sending", name=path.name), done, total))
        taken = sum_of((taken, hub.call(HAND_IN, Batches(service=together[0].service, batches=tuple(together)))))
        done += sum(map(_size, together))
    on_progress(Progress(text("protocol.sending", name=path.name), total, total))
    return taken


def _contract(hub: HubCalls, service: str) -> tuple[Contract | None, bool]:
    """Return the contract of a service, and whether it is known: an endpoint has none."""
    try:
        seen = hub.call(services.SHOW, build_request(services.OfService, service=service))
    except RefusedError:  # a key of scope observe hands in, and sees nothing
        return None, False
    route = seen.service.routes[min(seen.standing.route, len(seen.service.routes) - 1)]
    if not isinstance(route, CertifiedRoute) or route.commission is None:
        return None, not isinstance(route, CertifiedRoute)
    trial = route.commission.partition(":")[2]
    contract = hub.call(REPORT, OfTrial(name=trial)).contract
    return contract, contract is not None


def sendable(batch: Batch, most_bytes: int) -> Iterator[SentBatch]:
    """Yield the batches of at most ``most_bytes`` that hold what ``batch`` holds; a single case may be larger."""
    for alike in _alike(batch) if isinstance(batch, PackedBatch) else [batch]:
        yield from _halved(alike, most_bytes)


def _alike(batch: PackedBatch) -> Iterator[ObservationBatch]:
    """Yield the cases that were answered at the same moment, by the same version, and ended alike."""
    pack, groups = batch.pack, defaultdict[tuple[int, str | None, str, float | None], list[int]](list)
    for row in range(len(pack)):
        groups[pack.at[row], pack.versions[row], pack.ends[row], pack.milliseconds[row]].append(row)
    for number, ((at, version, end, milliseconds), rows) in enumerate(groups.items()):
        own = pack.among(rows)
        yield ObservationBatch(
            service=batch.service,
            batch=f"{batch.batch}-{number}",
            at=moment_of(at),
            version=version,
            end=CallEnd(end),
            milliseconds=milliseconds,
            ids=tuple(own.ids),
            inputs={name: tuple(column) for name, column in own.inputs.items()},
            answers=tuple(own.answers),
        )


def _halved(batch: SentBatch, most_bytes: int) -> Iterator[SentBatch]:
    size = _size(batch)
    if size == 1 or _bytes(batch) <= most_bytes:
        yield batch
        return
    for half, rows in enumerate((slice(0, size // 2), slice(size // 2, size))):
        yield from _halved(_among(batch, rows, _named(batch.batch, half)), most_bytes)


def _among(batch: SentBatch, rows: slice, name: str) -> SentBatch:
    if isinstance(batch, LabelBatch):
        return batch.model_copy(update={"batch": name, "labels": dict(list(batch.labels.items())[rows])})
    inputs = {column: values[rows] for column, values in batch.inputs.items()}
    more = {"ids": batch.ids[rows], "inputs": inputs, "answers": batch.answers[rows]}
    return batch.model_copy(update={"batch": name, **more})


def _named(batch: str, half: int) -> str:
    name = f"{batch}.{half}"
    return name if len(name) <= _LONGEST_NAME else hashlib.sha256(name.encode()).hexdigest()


def _requests(batches: Iterable[SentBatch]) -> Iterator[list[SentBatch]]:
    """Yield batches of one service in lists that are sent at once, in order: the same batches make the same lists."""
    together: list[SentBatch] = []
    size = 0
    for batch in batches:
        own = _bytes(batch)
        other = bool(together) and batch.service != together[0].service
        if together and (other or len(together) == MAXIMUM_BATCHES or size + own > MOST_BYTES):
            yield together
            together, size = [], 0
        together.append(batch)
        size += own
    if together:
        yield together


def _is_of_words(path: Path, whole: list[Batch]) -> bool:
    """Return whether only a contract could say which of the inputs are numbers."""
    return path.suffix.lower() in WORDS_ONLY and any(isinstance(batch, PackedBatch) for batch in whole)


def _size(batch: Batch) -> int:
    if isinstance(batch, PackedBatch):
        return len(batch.pack)
    return len(batch.labels if isinstance(batch, LabelBatch) else batch.ids)


def _bytes(batch: SentBatch) -> int:
    return len(json.dumps(batch.to_json_value()))
