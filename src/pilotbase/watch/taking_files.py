"""Files of observations and labels, taken in portion by portion."""

from __future__ import annotations

from pathlib import Path

from pilotbase.documents.observation import Taken
from pilotbase.watch.files import read_batches
from pilotbase.watch.intake_totals import sum_of
from pilotbase.watch.observations import ingest
from pilotbase.watch.promises import promised_of
from pilotbase.watch.subjects import own_service
from pilotbase.workspace.store import View


def take_file(view: View, service: str, path: Path) -> Taken:
    """Take in what a file holds and return what came of it; the same file again changes nothing.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it may hand in nothing for it.
        InputError: as `read_batches`; nothing was taken.
    """
    promised = promised_of(view, own_service(view, service))
    contract = None if promised is None else promised.plan.contract
    return sum_of(ingest(view, portion) for portion in read_batches(path, service, contract))
