"""Cases with four faults: a column known only afterwards, copies, order, few positives."""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

FAULTS = ("leak", "copies", "order", "few positives")
_POSITIVES = 24


def write(file: Path, rows: int) -> None:
    """Write ``rows`` cases of a pump: they are sorted by the answer, and a tenth is repeated."""
    draw, cases = random.Random(7), []
    for number in range(rows * 9 // 10):
        failed = number < _POSITIVES
        load = draw.gauss(6 if failed else 4, 1.5)
        case = {
            "load": round(load, 3),
            "temperature": round(draw.gauss(60 + load, 6), 2),
            "vibration": round(abs(draw.gauss(1.5 if failed else 0.8, 0.4)), 3),
            "repair_cost": round(draw.uniform(200, 900), 1) if failed else 0.0,
            "state": "failure" if failed else "fine",
        }
        cases.append(case)
    copies = cases[_POSITIVES : _POSITIVES + rows // 10]
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, cases[0])
        writer.writeheader()
        writer.writerows([*cases, *copies])


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
