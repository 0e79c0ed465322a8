"""Who has read a dataset, or the hidden cases of a scenario."""

from __future__ import annotations

import pydantic

from pilotbase.documents.api.readers import Readers
from pilotbase.documents.permissions import Reading
from pilotbase.documents.vocabularies import ReadingKind
from pilotbase.operations.matches import OfRecord
from pilotbase.operations.operation import Operation


class Narrowed(OfRecord):
    """Which lines of an access record are asked for; ``before``: below this number of the log."""

    kind: ReadingKind | None = None
    organisation: str = pydantic.Field("", max_length=120, pattern=r"^[a-z0-9-]*$")
    channel: str = pydantic.Field("", max_length=40, pattern=r"^[A-Za-z:]*$")
    before: int | None = pydantic.Field(None, ge=0, le=2**63 - 1)
    limit: int = pydantic.Field(50, ge=1, le=200)


DATASET = Operation(
    "readers.dataset",
    "GET /datasets/{owner}/{name}/readers",
    Narrowed,
    Readers,
    who=Reading.READERS,
    known_as="read_dataset",
    group="records",
)
SCENARIO = Operation(
    "readers.scenario",
    "GET /scenarios/{owner}/{name}/readers",
    Narrowed,
    Readers,
    who=Reading.READERS,
    known_as="read_scenario",
    group="records",
)
