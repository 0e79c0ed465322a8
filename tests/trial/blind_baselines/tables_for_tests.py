"""Small tables that give their answers away to a program that reads nothing, each sorted or made in a way of its own.

Each gives a scenario's folder and says which program meets its criteria: the code of its way, or None where a trial in
a secret order leaves nothing to any.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Row = dict[str, Any]
SCENARIO: dict[str, Any] = {
    "document": "scenario/1",
    "name": "sorted",
    "title": "Sorted",
    "owner": {"organisation": "plant"},
    "action": "industry",
    "problem": "The table is sorted.",
    "intended_use": "None.",
    "trial": {"attempts": 5, "batch_rows": 32, "limits": {"load_seconds": 20, "batch_seconds": 5}},
}
TYPES = {int: "sc:Integer", float: "sc:Float", str: "sc:Text", datetime: "sc:DateTime"}


@dataclass(frozen=True)
class Table:
    """A table, the scenario over it, and the way of the program that meets its criteria."""

    rows: Callable[[random.Random], list[Row]]
    way: str | None
    criteria: tuple[str, ...] = ("accuracy >= 0.6",)
    task: str = "classification"
    key: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=lambda: {"method": "hash", "hidden": 0.5, "by": "case"})

    def write(self, folder: Path) -> Path:
        """Return the folder of the scenario with its cases."""
        folder.mkdir()
        rows = self.rows(random.Random(3))
        rows = [{"case": f"k{number}q{number * 7919 % 10007}", **row} for number, row in enumerate(rows)]
        kinds = {name: next(type(row[name]) for row in rows if row[name] is not None) for name in rows[0]}
        fields = [{"name": name, "dataType": TYPES[kind]} for name, kind in kinds.items()]
        data = {"file": "cases.csv", "licence": "CC0-1.0", "fields": fields, "target": "y", "split": self.split}
        values = {"data": {**data, "key": "case"}, "task": self.task, "baseline": {"kind": "constant", "value": "a"}}
        document = {**SCENARIO, **values, "criteria": [{"rule": rule} for rule in self.criteria], **self.extra}
        (folder / "scenario.yaml").write_text(json.dumps(document), "utf-8")
        lines = [",".join(rows[0]), *(",".join(map(_spelled, row.values())) for row in rows)]
        (folder / "cases.csv").write_text("\n".join(lines) + "\n", "utf-8")
        return folder


def _spelled(value: Any) -> str:
    if value is None:
        return ""
    written = value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)
    return '"' + written.replace('"', '""') + '"' if isinstance(value, str) else written


def _noise(draw: random.Random) -> Row:
    return {"x": round(draw.gauss(0, 1), 6), "z": round(draw.gauss(0, 1), 6)}


def _rows(draw: random.Random, labels: list[Any], more: Callable[[int], Row] = lambda _: {}) -> list[Row]:
    return [{**more(number), **_noise(draw), "y": label} for number, label in enumerate(labels)]


def _runs(draw: random.Random, size: int = 400, classes: str = "abcdefg") -> list[str]:
    return sorted(draw.choice(classes) for _ in range(size))


def _blocks(draw: random.Random, size: int = 400, length: int = 20) -> list[str]:
    labels = [draw.choice("abcd") for _ in range(size // length)]
    return [label for label in labels for _ in range(length)]


def _times(number: int) -> Row:
    return {"at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=10 * number)}


def _mostly(draw: random.Random, share: float, size: int = 400) -> list[str]:
    return ["a" if draw.random() < share else "b" for _ in range(size)]


def _wrong(draw: random.Random, labels: list[str]) -> list[str]:
    """Return the labels, a quarter of them replaced by chance, so that one neighbour errs often and ten do not."""
    return [draw.choice("abcd") if draw.random() < 0.25 else label for label in labels]


def _by_size(draw: random.Random) -> list[Row]:
    """Rows sorted by a whole number that hardly repeats, since its range is wide: a feature, and no row number."""
    sizes = sorted(draw.randrange(10**6) for _ in range(400))
    return [{"size": size, **_noise(draw), "y": "ab"[size > 500_000]} for size in sizes]


def _copied(draw: random.Random, jitter: float) -> list[Row]:
    """Rows of which every other is a copy of the one before, but for ``jitter``."""
    found = []
    for _ in range(300):
        row: Row = {name: round(draw.gauss(0, 1), 6) for name in ("x", "z", "u", "v")}
        near = {name: round(value + jitter * draw.random(), 9) for name, value in row.items()}
        label = draw.choice("ab")
        found += [{**row, "y": label}, {**near, "y": label}]
    return found


def _called(draw: random.Random) -> list[Row]:
    rows = []
    for label in _runs(draw, classes="abc"):
        shares = {f"p_{name}": round(draw.random() / 2 + (name == label), 4) for name in "abc"}
        rows.append({**shares, **_noise(draw), "y": label})
    return rows


def _first_filled(draw: random.Random) -> list[Row]:
    rows = []
    for label in _runs(draw, classes="abc"):
        rows.append({**{f"s{name}": draw.random() if name >= label else None for name in "abc"}, "y": label})
    return rows


def _by_threshold(draw: random.Random) -> list[Row]:
    rows = [_noise(draw) for _ in range(400)]
    return sorted(
        ({**row, "y": "ab"[(row["x"] > 0) != (draw.random() < 0.1)]} for row in rows), key=lambda row: row["x"]
    )


def _machines(draw: random.Random) -> list[Row]:
    usual = {f"m{number}": draw.choice("ab") for number in range(12)}
    usual |= {"m0": "a", "m1": "b"}
    return [
        {"machine": name, **_noise(draw), "y": usual[name] if draw.random() < 0.9 else draw.choice("ab")}
        for name in sorted(usual)
        for _ in range(30)
    ]


def _late(draw: random.Random) -> list[Row]:
    return _rows(draw, _mostly(draw, 0.5, 200) + _mostly(draw, 0.95, 200), _times)


def _waves(draw: random.Random) -> list[Row]:
    return [{**_times(number), **_noise(draw), "y": round(number / 4 + draw.random(), 3)} for number in range(400)]


def _numbers(draw: random.Random) -> list[Row]:
    return [{**_noise(draw), "y": round(draw.gauss(50, 5), 3)} for _ in range(400)]


def _of_texts(draw: random.Random, answers: list[str]) -> list[Row]:
    return [{"question": f"what of {draw.random():.9f}", "y": draw.choice(answers)} for _ in range(300)]


POSITIVE = {"positive": "a"}
PROBABLY = {"positive": "a", "prediction": "probability"}
REGRESSION = {"task": "regression", "extra": {"baseline": {"kind": "constant", "value": 0}}}
AFTER = {"method": "time", "column": "at", "hidden_from": "2026-01-02T09:20:00Z"}
TABLES: dict[str, Table] = {
    "by class": Table(lambda draw: _rows(draw, _runs(draw)), None),
    "by class, reversed": Table(lambda draw: _rows(draw, _runs(draw)[::-1]), None),
    "by class, two": Table(lambda draw: _rows(draw, _runs(draw, classes="ab")), None, extra=POSITIVE),
    "periodic": Table(lambda draw: _rows(draw, ["abc"[number % 3] for number in range(400)]), None),
    "by class, numbered in the key": Table(lambda draw: _rows(draw, _runs(draw)), None),
    "numbered": Table(lambda draw: _rows(draw, _runs(draw), lambda row: {"number": row}), "file_order"),
    "named by numbers": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"name": f"case-{row:04}"}), "file_order"
    ),
    "numbered in steps": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"number": 1000 + 500 * row}), "file_order"
    ),
    "numbered with gaps": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"number": 20 * row + draw.randrange(20)}), "file_order"
    ),
    "numbered in seconds, some wrong": Table(
        lambda draw: _rows(draw, _wrong(draw, _blocks(draw)), lambda row: {"number": 60 * row + draw.randrange(60)}),
        "file_order", ("accuracy >= 0.65",),
    ),
    "numbered in decimals, from the end": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"number": round(1000 - 0.37 * row, 2)}), "file_order"
    ),
    "number before the name": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"name": f"L{row:04}/24"}), "file_order"
    ),
    "hexadecimal row numbers": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"name": f"case-{row:04x}"}), "file_order"
    ),
    "hexadecimal row numbers before the name": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"name": f"{16 * row:05X}/north"}), "file_order"
    ),
    "hexadecimal names by chance": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda _: {"name": f"{draw.getrandbits(32):08x}"}), None
    ),
    "moments of a spreadsheet": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"at": round(46_023 + row / 144, 8)}), "file_order"
    ),
    "rounds of a spreadsheet": Table(
        lambda draw: _rows(draw, list("abcd" * 100), lambda row: {"at": round(46_023 + row / 144, 8)}), "row_number"
    ),
    "moments of a spreadsheet at any second": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"at": round(46_023 + (row + draw.random()) / 8, 8)}),
        "file_order",
    ),
    "seconds since 1970, far apart": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda row: {"at": 1_767_225_600 + 9_999 * row + draw.randrange(9999)}),
        "file_order",
    ),
    "prices by chance": Table(
        lambda draw: _rows(draw, _blocks(draw), lambda _: {"price": round(draw.uniform(40_000, 41_000), 2)}), None
    ),
    "rounds by row number": Table(
        lambda draw: _rows(draw, list("abcd" * 100), lambda row: {"number": 7 + 10 * row}), "row_number"
    ),
    "rare whole numbers": Table(_by_size, None, ("accuracy >= 0.8",), extra=POSITIVE),
    "a coin": Table(
        lambda draw: _rows(draw, _mostly(draw, 0.5)), "random_class", ("recall(a) >= 0.6", "recall(b) >= 0.2"),
        extra=POSITIVE,
    ),
    "by time": Table(lambda draw: _rows(draw, _blocks(draw), _times), "file_order"),
    "by a feature": Table(_by_threshold, None, extra=POSITIVE),
    "grouped": Table(_machines, None, extra=POSITIVE),
    "tiny": Table(lambda draw: _rows(draw, _mostly(draw, 0.7, 24)), "constant", ("accuracy >= 0.5",), extra=POSITIVE),
    "99 %": Table(lambda draw: _rows(draw, _mostly(draw, 0.97)), "constant", ("accuracy >= 0.9",), extra=POSITIVE),
    "one class alone": Table(lambda draw: _rows(draw, _runs(draw)), "constant", ("recall(c) >= 0.9",)),
    "later nearly one class": Table(_late, "constant", ("accuracy >= 0.85",), extra=POSITIVE, split=AFTER),
    "copied": Table(lambda draw: _copied(draw, 0.0), "memory", ("accuracy >= 0.7",), extra=POSITIVE),
    "nearly copied": Table(lambda draw: _copied(draw, 1e-6), "nearest", ("accuracy >= 0.7",), extra=POSITIVE),
    "called like the classes": Table(_called, "largest_column"),
    "the first that is filled": Table(_first_filled, "first_filled"),
    "numbers": Table(_numbers, "constant", ("capped_mae(cap=20) <= 8",), **REGRESSION),
    "along time": Table(_waves, "file_order", ("capped_mae(cap=20) <= 2",), **REGRESSION),
    "intervals": Table(
        _numbers, "constant", ("interval_coverage >= 0.8", "interval_width(cap=100) <= 20"), "regression",
        extra={"prediction": "interval", "baseline": {"kind": "constant", "value": 0}},
    ),
    "probabilities": Table(
        lambda draw: _rows(draw, _mostly(draw, 0.5)), "constant", ("brier <= 0.3",), extra=PROBABLY
    ),
    "probabilities of each class": Table(
        lambda draw: _rows(draw, _mostly(draw, 0.5)), "constant", ("smoothed_log_loss <= 0.7",),
        extra={"prediction": "probabilities"},
    ),
    "texts": Table(lambda draw: _of_texts(draw, ["a", "a", "b"]), "constant", ("exact_match >= 0.5",), "answering"),
    "rankings": Table(
        lambda draw: _of_texts(draw, ["p|q", "p", "p|r"]), "constant", ("top_k(k=1) >= 0.9",), "ranking"
    ),
    "sets of labels": Table(
        lambda draw: _of_texts(draw, ["p", "p|q", "p|r"]), "constant", ("hamming_loss <= 0.4",), "multilabel",
        extra={"baseline": {"kind": "constant", "value": "p"}},
    ),
}  # fmt: skip
HONEST: tuple[str, ...] = ("by a feature", "grouped")
"""Easy, and decided by features."""


MODES = ("constant", "position", "neighbour", "memory")
PROGRAM = """
import json, pathlib, re

KNOWN = json.loads((pathlib.Path(__file__).parent / "known.json").read_text("utf-8"))
TRUTHS, CASES, MODE = KNOWN["truths"], KNOWN["cases"], KNOWN["mode"]
USUAL = sorted(TRUTHS, key=lambda one: (TRUTHS.count(one), str(one)))[-1]
asked = 0


def number(case):
    found = [re.sub("[^0-9]", "", str(case[name])) for name in ("number", "name", "at") if name in case]
    return int(found[0]) if found and found[0] else 0


def answer(case):
    if MODE == "position":
        return TRUTHS[int((asked + 0.5) / KNOWN["total"] * len(TRUTHS))]
    if MODE == "neighbour":
        return min(zip(CASES, TRUTHS), key=lambda known: abs(number(known[0]) - number(case)))[1]
    if MODE == "memory":
        return next((truth for known, truth in zip(CASES, TRUTHS) if known == case), USUAL)
    return USUAL


def predict(batch):
    global asked
    answers = []
    for row in range(batch.rows):
        answers.append(answer({name: batch[name][row] for name in batch}))
        asked += 1
    spell = {
        "probability": lambda one: float(one == "a"),
        "interval": lambda one: (one - 7, one + 7),
        "ranking": lambda one: one.split("|"),
        "labels": lambda one: one.split("|"),
    }.get(KNOWN["kind"], lambda one: one)
    return [spell(one) for one in answers]
"""
