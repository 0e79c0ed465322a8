"""The steps that move records: one operation an act of the lifecycles, its body what the act brings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pydantic

from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.records import Noted, NotedOpening
from pilotbase.documents.lifecycles import LIFECYCLES, Precondition, RecordKind, Transition
from pilotbase.documents.permissions import Act, Relation
from pilotbase.documents.record import BROUGHT, Commission, Record
from pilotbase.documents.states import NEW
from pilotbase.documents.texts import text
from pilotbase.operations.operation import BODY, Operation, With
from pilotbase.operations.records import named

_SAVED = ("demand", "scenario", "application-version", "dataset")


def _by_people() -> Iterator[tuple[RecordKind, Transition]]:
    """Yield the steps that people take: not the base's own process, and not what is saved as content."""
    for kind, rows in LIFECYCLES.items():
        for row in rows:
            machine = all(grant.relation is Relation.MACHINE for grant in row.act.grants)
            if NEW not in row.sources and not machine and row.brings not in _SAVED:
                yield kind, row


def _step(kind: RecordKind, row: Transition) -> Operation[Any, Record]:
    path, base = named(kind)
    noted = NotedOpening if Precondition.PROVES_SOMETHING in row.needs else Noted
    brought: Any = Annotated[BROUGHT[row.brings] if row.brings else noted, BODY]
    return Operation(
        f"steps.{row.act.value.replace('.', '_')}",
        f"POST {path}/acts/{row.act.value}",
        pydantic.create_model("Step", __base__=base, brought=brought),
        Record,
        who=row.act,
        marked=True,
        words=text(f"act.{row.act}"),
    )


PROPOSE = Operation(
    "steps.propose",
    "POST /trials",
    With[Commission],
    Record,
    who=Act.COMMISSION_PROPOSE,
    marked=True,
    location="/api/trials/{given.name}",
)
MAKE_AGREEMENT = Operation(
    "steps.make_agreement",
    "POST /agreements",
    With[Agreement],
    Record,
    only="owner of the dataset, suppliers",
    marked=True,
    location="/api/agreements/{given.name}",
)
STEPS = {row.act: _step(kind, row) for kind, row in _by_people()}
"""Act → the operation that does it."""
