"""The ledger of uses."""

from __future__ import annotations

from pilotbase.catalogue.records import load_record
from pilotbase.documents.subjects import agreement_subject
from pilotbase.documents.terms import Use
from pilotbase.operations import terms as declared
from pilotbase.operations.datasets import OfDataset
from pilotbase.worker.bound.binding import Caller, does
from pilotbase.workspace.listings import require_listing
from pilotbase.workspace.uses import uses_of


@does(declared.USES)
def uses(caller: Caller, asked: OfDataset) -> list[Use]:
    """Return the uses of a dataset that the caller may see."""
    return uses_of(caller.view, require_listing(caller.view, asked.subject).subject)


@does(declared.AGREEMENT_USES)
def agreement_uses(caller: Caller, asked: declared.OfAgreement) -> list[Use]:
    """Return what was used under an agreement."""
    record, _ = load_record(caller.view, agreement_subject(asked.name))
    return uses_of(caller.view, record.subjects["dataset"], record.subject)
