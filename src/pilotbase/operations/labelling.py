"""Labelling rounds: opened by an owner, labelled blind, decided, stated."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.labelling import Class, NewPanel, NewRound, Reason, RoundDetail, RoundTold, SheetTold, Word
from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.api.uploads import UploadId
from pilotbase.documents.hashes import HEX
from pilotbase.documents.labelling import LabelledItems, PublishedLabels
from pilotbase.operations.datasets import OfDatasetWith
from pilotbase.operations.operation import PATH, NoInput, Operation, Repeated
from pilotbase.operations.trials import OfTrialWith


class OfRound(RequestModel):
    """Which round."""

    asked: Annotated[str, StringConstraints(pattern=f"^{HEX}$"), PATH]


class OfItem(OfRound):
    """Which item."""

    item: str = pydantic.Field("", max_length=500, pattern=r"^[^\x00]*$")
    """Empty: the first one that is open."""


class NewLabel(OfRound):
    """A label of an item, or a decision with its reason."""

    item: Word
    label: Class
    reason: Reason = ""


class NewExport(OfRound):
    """A finished upload: an export of Label Studio."""

    upload: UploadId


_OWNER, _LABELLER = "owner of the dataset", "people named in the round, for themselves"
_HIDDEN, _HARMLESS = frozenset({403}), Repeated.HARMLESS
LIST = Operation(
    "labelling.list",
    "GET /labelling",
    NoInput,
    list[RoundTold],
    only="people named in a round, owner of the dataset, operator, regulator",
)
START = Operation(
    "labelling.start",
    "POST /datasets/{owner}/{name}/labelling",
    OfDatasetWith[NewRound],
    RoundTold,
    only=_OWNER,
    repeated=_HARMLESS,
    location="/api/labelling/{given.identity}",
    example={
        "name": "defects-2027",
        "guideline_version": "1.2",
        "guideline": "A crack is a line that the light does not cross.",
        "classes": ["sound", "scratch", "crack"],
        "items": 200,
        "annotators": [
            {"organisation": "plant", "person": "p5be0a1f2c3d4e5f6", "account": "7"},
            {"organisation": "plant", "person": "p0c5d7e1a9b3f4826", "account": "8"},
        ],
        "adjudicator": {"organisation": "plant", "person": "pa1f2c3d4e5f65be0"},
    },
)
JUDGE = Operation(
    "labelling.judge",
    "POST /trials/{name}/panel",
    OfTrialWith[NewPanel],
    RoundTold,
    only="owner of the scenario",
    repeated=_HARMLESS,
    location="/api/labelling/{given.identity}",
    example={
        "annotators": [
            {"organisation": "hospital", "person": "p5be0a1f2c3d4e5f6"},
            {"organisation": "hospital", "person": "p0c5d7e1a9b3f4826"},
        ],
        "adjudicator": {"organisation": "hospital", "person": "pa1f2c3d4e5f65be0"},
    },
)
SHOW = Operation("labelling.show", "GET /labelling/{asked}", OfRound, RoundDetail, only=_OWNER, refuses=_HIDDEN)
SHEET = Operation("labelling.sheet", "GET /labelling/{asked}/sheet", OfItem, SheetTold, only=_LABELLER, refuses=_HIDDEN)
LABEL = Operation(
    "labelling.label",
    "POST /labelling/{asked}/labels",
    NewLabel,
    SheetTold,
    only=_LABELLER,
    repeated=_HARMLESS,
    example={"item": "M000017", "label": "crack"},
)
IMPORT = Operation(
    "labelling.import",
    "POST /labelling/{asked}/import",
    NewExport,
    RoundTold,
    only=_OWNER,
    repeated=_HARMLESS,
    later=True,
    location="/api/labelling/{asked.asked}",
    example={"upload": "0c5d7e1a9b3f4826a1d0c7e95b82f364"},
)
CLOSE = Operation(
    "labelling.close", "POST /labelling/{asked}/close", OfRound, RoundTold, only=_OWNER, repeated=_HARMLESS
)
ITEMS = Operation(
    "labelling.items",
    "GET /labelling/{asked}/items",
    OfRound,
    LabelledItems,
    only=_OWNER,
    refuses=frozenset({403, 409}),
    marked=True,
)
PUBLISH = Operation(
    "labelling.publish",
    "POST /labelling/{asked}/publish",
    OfRound,
    PublishedLabels,
    only=_OWNER,
    repeated=_HARMLESS,
    marked=True,
)
