"""``pilotbase demo``: five sectors and three worlds, end to end; then one service from demand to warning."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text as Cell

from pilotbase.cli.framework.driving import open_base
from pilotbase.cli.framework.terminal import command, print_table, progress_shown, say, shown
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour

if TYPE_CHECKING:
    from pilotbase.documents.observation import Scalar
    from pilotbase.worker.base import Base
    from pilotbase.worker.demo.records import Cast
    from pilotbase.worker.demo.sectors import DemonstrationRow
    from pilotbase.worker.demo.walk import WalkStep


STYLES = {"accept": "green", "reject": "red", "inconclusive": "yellow", "refused": "magenta"}
MARKS = {Colour.BLUE: ("◆", "blue"), Colour.YELLOW: ("▲", "yellow"), Colour.ORANGE: ("■", "dark_orange")}
"""Colour of a warning → its shape and what a terminal shows it in; red and green below."""
_RED, _GREEN = ("●", "red"), ("○", "green")
_ANSWER_BYTES = 4 << 20


@command
def demo(
    sector: list[str] | None = None,
    out: Path | None = None,
    engine: str = "local",
    walk: Annotated[bool, typer.Option("--walk/--no-walk")] = True,
) -> None:
    """Try applications from every sector on real data, then put one into service and watch it drift."""
    from pilotbase.worker.demo.records import Cast
    from pilotbase.worker.demo.sectors import demonstrate

    base = open_base(create=True, engine=engine)
    with progress_shown() as on_progress:
        found = list(demonstrate(base, sector, out, on_progress))
    columns = ("sector", "application", "verdict", "why", "report")
    print_table(text("cli.demo_title"), (f"cli.demo_{column}" for column in columns), map(_row, found))
    say(text("cli.demo_end", roots=base.trust_roots, revocations=base.revocations))
    if walk and not sector:
        take_walk(base, Cast.alone(base.trust.issuer))


def take_walk(base: Base, cast: Cast, err: bool = False) -> None:
    """Take the walk in ``base`` and print each step as it happens; what was walked before is only named."""
    from pilotbase.gateway.app import running_gateway
    from pilotbase.worker.demo.walk import is_proven, is_walked, live_walk, prove_walk
    from pilotbase.worker.demo.walked_service import SERVICE

    if is_walked(base):
        say(text("walk.skipped", service=SERVICE), err=err)
        return
    console = Console(stderr=err, width=None if Console(stderr=err).is_terminal else 160)
    console.print(Cell(shown(text("walk.title")), style="bold"))
    for step in () if is_proven(base) else prove_walk(base, cast):
        console.print(_line(step))
    with running_gateway(base.lab) as address:
        for step in live_walk(base, _Asking(address)):
            console.print(_line(step))
    say(text("walk.next", service=SERVICE), err=err)


def _row(row: DemonstrationRow) -> tuple[Any, ...]:
    verdict = Cell(shown(text(f"cli.verdict_{row.verdict}")), style=STYLES[row.verdict])
    return row.example, row.application, verdict, row.why, row.report or ""


def _line(step: WalkStep) -> Cell:
    stage = shown(text(f"walk.stage.{step.stage}"))
    line = Cell(f"  {stage:<16}" if stage.isascii() else f"  {stage:<14}")
    if step.colour is not None:
        shape, style = MARKS.get(step.colour, _RED if step.colour is Colour.RED else _GREEN)
        line.append(f"{shape} {shown(text(f'colour.{step.colour}'))} ", style=style)
    return line.append(shown(step.what))


class _Asking:
    """A client of the Open Inference Protocol."""

    def __init__(self, address: str) -> None:
        from pilotbase.protocols.guarded_http import GuardedHttp

        self._address = address
        self._http = GuardedHttp(allowed=("127.0.0.1",), seconds=60)

    def __call__(
        self, service: str, secret: str, call: str, columns: Mapping[str, Sequence[Scalar]]
    ) -> Sequence[Scalar]:
        from pilotbase.protocols.guarded_http import GuardedRequest

        tensors = [_tensor(name, values) for name, values in columns.items()]
        body = json.dumps({"id": call, "inputs": tensors}).encode()
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        url = f"{self._address}/v2/models/{service}/infer"
        answer = self._http.send(GuardedRequest("POST", url, body, headers, _ANSWER_BYTES))
        outputs: list[Scalar] = json.loads(answer.body)["outputs"][0]["data"]
        return outputs


def _tensor(name: str, values: Sequence[Scalar]) -> dict[str, object]:
    kinds = {type(value) for value in values if value is not None}
    datatype = "BYTES" if kinds == {str} else "INT64" if kinds == {int} else "FP64"
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": list(values)}
