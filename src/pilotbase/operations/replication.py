"""Replication: kits by which other sites take certified applications over, and how each site fared."""

from __future__ import annotations

from pilotbase.documents.permissions import DeskAct, ExchangeAct
from pilotbase.documents.replication import Replication, StatedKit
from pilotbase.operations.matches import OfRecord, OfRecordWith
from pilotbase.operations.operation import Callers, NoInput, Operation, Repeated

_KIT, _HARMLESS = "/replications/{owner}/{name}", Repeated.HARMLESS
LIST = Operation("replication.list", "GET /replications", NoInput, list[Replication], callers=Callers.EVERYBODY)
SHOW = Operation("replication.show", f"GET {_KIT}", OfRecord, Replication, callers=Callers.EVERYBODY)
STATE = Operation(
    "replication.state",
    f"PUT {_KIT}",
    OfRecordWith[StatedKit],
    Replication,
    who=ExchangeAct.KIT_STATE,
    repeated=_HARMLESS,
    example={
        "parts": [
            {"name": "costs", "words": "Two days of an engineer a site; 0.2 CNY per 1,000 cases."},
            {
                "name": "procedure",
                "words": "In doubt the shift decides; the old rule is the fallback.",
            },
            {"name": "adapters", "words": "It reads the contract's table as it is.", "none": True},
        ]
    },
)
AGREE = Operation(
    "replication.agree", f"POST {_KIT}/agreement", OfRecord, Replication, who=ExchangeAct.KIT_AGREE, repeated=_HARMLESS
)
ADMIT = Operation(
    "replication.admit", f"POST {_KIT}/admission", OfRecord, Replication, who=DeskAct.KITS, repeated=_HARMLESS
)
