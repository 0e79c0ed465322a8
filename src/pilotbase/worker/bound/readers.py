"""Who has read a dataset, or the hidden cases of a scenario."""

from __future__ import annotations

from pilotbase.documents.api.readers import ReaderFacet, Readers
from pilotbase.documents.subjects import Subject, dataset_subject, scenario_subject
from pilotbase.operations import readers as declared
from pilotbase.vault.readers import readers_of
from pilotbase.worker.bound.binding import Caller, does

does(declared.DATASET)(lambda caller, asked: _readers(caller, dataset_subject(asked.owner, asked.name), asked))
does(declared.SCENARIO)(lambda caller, asked: _readers(caller, scenario_subject(asked.owner, asked.name), asked))


def _readers(caller: Caller, subject: Subject, asked: declared.Narrowed) -> Readers:
    wanted = {facet: str(getattr(asked, facet) or "") for facet in ReaderFacet}
    return readers_of(caller.view, subject, wanted, asked.before, asked.limit)
