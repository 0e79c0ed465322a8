"""A messy table: how it is written and what its owner must read; most are made from the same pumps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from tests.corpus.grading import Expected

ROWS = 240
ANSWERS = {
    **{"--problem": "Pumps fail", "--target": "state", "--group-or-time": "", "--miss": 10, "--false-alarm": 1},
    "--contact": "works, desk@works.example",
}

Row = dict[str, object]
Column = Callable[[int, random.Random, Row], object]


@dataclass(frozen=True)
class MessyTable:
    """A table that ``write`` puts into a folder, the answers that differ from the usual, and what must be said."""

    name: str
    write: Callable[[Path], Path]
    expected: Expected
    answers: Mapping[str, object]


TABLES: list[MessyTable] = []


def messy(name: str, what: str, where: str, do: str, **answers: object) -> Callable[..., Callable[[Path], Path]]:
    """Register what a decorated function writes; ``time="day"`` is the option ``--time day``."""
    options = {f"--{option.replace('_', '-')}": value for option, value in answers.items()}

    def take(write: Callable[[Path], Path]) -> Callable[[Path], Path]:
        TABLES.append(MessyTable(name, write, Expected(what, where, do), options))
        return write

    return take


def pumps(rows: int = ROWS, **columns: Column) -> list[Row]:
    """Return ``rows`` cases of pumps; each of ``columns`` takes the row's number, a source of chance, and the row."""
    draw, made = random.Random(5), []
    for number in range(rows):
        row: Row = {"pressure": round(draw.uniform(0, 10), 2), "heat": round(draw.gauss(60, 8), 1)}
        row["site"] = draw.choice(["north", "south", "east"])
        row["state"] = "broken" if (float(str(row["pressure"])) > 7) != (draw.random() < 0.08) else "fine"
        made.append(row | {name: make(number, draw, row) for name, make in columns.items()})
    return made


def lines(rows: Iterable[Row], separator: str = ",") -> list[str]:
    """Return the header and the rows, without quotes."""
    rows = list(rows)
    return [separator.join(rows[0]), *(separator.join(map(str, row.values())) for row in rows)]


def saved(folder: Path, rows: Iterable[Row] | list[str], name: str = "t.csv", encoding: str = "utf-8") -> Path:
    given = list(rows)
    content = [line for line in given if isinstance(line, str)] or lines(one for one in given if isinstance(one, dict))
    (folder / name).write_bytes(("\n".join(content) + "\n").encode(encoding))
    return folder / name


def cells(rows: Iterable[Row]) -> list[list[object]]:
    rows = list(rows)
    return [list(rows[0]), *(list(row.values()) for row in rows)]


def renamed(rows: Iterable[Row], **names: str) -> list[Row]:
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]


def chinese() -> list[Row]:
    rows = renamed(pumps(), pressure="压力", heat="温度", site="厂区", state="状态")
    return [row | {"状态": "故障" if row["状态"] == "broken" else "正常"} for row in rows]


def day(number: int) -> date:
    return date(2026, 1, 1) + timedelta(days=number)
