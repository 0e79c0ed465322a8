"""The ledger of uses; agreements are made and moved as every record is."""

from __future__ import annotations

from typing import Annotated

from pilotbase.documents.api.shapes import Asked
from pilotbase.documents.base import Name
from pilotbase.documents.terms import Use
from pilotbase.operations.datasets import OfDataset
from pilotbase.operations.operation import PATH, Operation


class OfAgreement(Asked):
    """Which agreement."""

    name: Annotated[Name, PATH]


USES = Operation(
    "terms.uses", "GET /datasets/{owner}/{name}/uses", OfDataset, list[Use], group="records", known_as="read_uses"
)
AGREEMENT_USES = Operation(
    "terms.agreement_uses",
    "GET /agreements/{name}/uses",
    OfAgreement,
    list[Use],
    group="records",
    known_as="read_agreement_uses",
)
