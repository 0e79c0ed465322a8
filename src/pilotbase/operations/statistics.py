"""Private statistics of closed datasets: priced, asked for, answered by a worker."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from pilotbase.documents.api.datasets import (
    NewStatistics,
    PriceTold,
    StatisticsAnswer,
    StatisticsPage,
    StatisticsTold,
)
from pilotbase.documents.files import File
from pilotbase.documents.hashes import HEX
from pilotbase.operations.datasets import OfDataset, OfDatasetWith
from pilotbase.operations.operation import PATH, Operation, Repeated


class OfAnswer(OfDataset):
    """Which question."""

    asked: Annotated[str, StringConstraints(pattern=f"^{HEX}$"), PATH]


_PLACE = "/datasets/{owner}/{name}/statistics"
_EXAMPLE = {"epsilon": 500_000, "record_set": "runs"}
_ASKERS, _READERS = "who has an agreement with a budget, owner of it", "who asked, owner of it, operator, regulator"
LIST = Operation(
    "statistics.list",
    f"GET {_PLACE}",
    OfDataset,
    StatisticsPage,
    only="members, of their own; owner of it, operator and regulator of all",
)
PRICE = Operation(
    "statistics.price",
    f"POST {_PLACE}/price",
    OfDatasetWith[NewStatistics],
    PriceTold,
    example=_EXAMPLE,
    only=_ASKERS,
    repeated=Repeated.HARMLESS,
)
ASK = Operation(
    "statistics.ask",
    f"POST {_PLACE}",
    OfDatasetWith[NewStatistics],
    StatisticsTold,
    only=_ASKERS,
    example=_EXAMPLE,
    repeated=Repeated.HARMLESS,
    later=True,
    location="/api/datasets/{asked.owner}/{asked.name}/statistics/{given.identity}",
)
SHOW = Operation("statistics.show", f"GET {_PLACE}/{{asked}}", OfAnswer, StatisticsAnswer, only=_READERS)
SAMPLE = Operation("statistics.sample", f"GET {_PLACE}/{{asked}}/sample", OfAnswer, File, only=_READERS)
