"""``make evidence``: simulate every claim, then write the page, its figures and the results; exit 1 if one fails.

python -m benchmarks.evidence                       everything, into docs/
python -m benchmarks.evidence --share 0.1           a tenth of the runs, into build/evidence/
python -m benchmarks.evidence --only strata         one claim; the others' results stay as they are
python -m benchmarks.evidence --redraw              page and figures from the results that are there
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks.evidence.claims import CLAIMS
from benchmarks.evidence.contract import Claim, Floats, Row, draw_batch, read, rows_from
from benchmarks.evidence.page import figure, page
from benchmarks.evidence.reader_pictures import pictures as reader_pictures

ROOT = Path(__file__).resolve().parent.parent.parent
Key = tuple[str, int, int]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="share of the runs to make")
    parser.add_argument("--only", action="append", default=[], metavar="CLAIM", help="only this claim")
    parser.add_argument("--redraw", action="store_true", help="simulate nothing")
    parser.add_argument("--out", type=Path, help="folder to write to")
    options = parser.parse_args()
    chosen = [claim for claim in CLAIMS if not options.redraw and (not options.only or claim.id in options.only)]
    began = time.monotonic()
    rows = simulate(chosen, options.share)
    print(f"  {time.monotonic() - began:.0f} s")
    folder = options.out or ROOT / ("docs" if options.share >= 1 else "build/evidence")
    kept = stored(folder) if options.only or options.redraw else {}
    write(folder, {claim.id: found for claim in CLAIMS if (found := rows.get(claim.id) or kept.get(claim.id))})
    return report(rows or kept, options.share < 1)


def simulate(claims: list[Claim], share: float) -> dict[str, list[Row]]:
    """Return the rows of ``claims``, simulated on all cores; the numbers do not depend on the number of cores."""
    counts = {(claim.id, n): _runs(study.runs, share) for claim in claims for n, study in enumerate(claim.studies)}
    keys = [
        (claim.id, number, start)
        for claim in claims
        for number, study in enumerate(claim.studies)
        for start in range(0, counts[claim.id, number], study.batch)
    ]
    parts: dict[Key, Floats] = {}
    left = {claim.id: sum(key[0] == claim.id for key in keys) for claim in claims}
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        waiting: dict[Future[Floats], Key] = {pool.submit(_batch, key, counts[key[:2]]): key for key in keys}
        for done in as_completed(waiting):
            key = waiting[done]
            parts[key] = done.result()
            left[key[0]] -= 1
            if left[key[0]] == 0:
                print(f"  {key[0]:<24} done; {sum(left.values())} of {len(keys)} batches left", flush=True)
    return {
        claim.id: [
            row
            for number, study in enumerate(claim.studies)
            for row in read(study, np.concatenate([parts[key] for key in keys if key[:2] == (claim.id, number)]))
        ]
        for claim in claims
    }


def write(folder: Path, rows: dict[str, list[Row]]) -> None:
    """Write the page, the figures and the results into ``folder``."""
    pictures = folder / "evidence"
    pictures.mkdir(parents=True, exist_ok=True)
    for claim in (claim for claim in CLAIMS if claim.id in rows):
        drawn = figure(claim, rows[claim.id])
        if drawn is not None:
            (pictures / f"{claim.id}.svg").write_text(drawn, "utf-8")
    for name, drawn in reader_pictures().items():
        (pictures / name).write_text(drawn, "utf-8")
    results = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "versions": {name: metadata.version(name) for name in ("pilotbase", "numpy", "scipy")}
        | {"python": platform.python_version()},
        "claims": [
            {"id": c.id, "seed": c.seed, "rows": [asdict(row) for row in rows[c.id]]} for c in CLAIMS if c.id in rows
        ],
    }
    (pictures / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "evidence.md").write_text(page(rows, results), "utf-8")
    print(f"  written: {folder / 'evidence.md'}")


def stored(folder: Path) -> dict[str, list[Row]]:
    """Return the rows that were written into ``folder`` before; none if there are none."""
    path = folder / "evidence" / "results.json"
    if not path.exists():
        return {}
    return {entry["id"]: rows_from(entry) for entry in json.loads(path.read_text("utf-8"))["claims"]}


def report(rows: dict[str, list[Row]], short: bool) -> int:
    """Print what does not hold; return 1 if there is anything.

    A ``short`` run can show that α is exceeded; that a median is near its reference or a trap bites needs all runs.
    """
    failed = 0
    for name, found in rows.items():
        held = [row for row in found if not short or (row.way == "ours" and row.condition.startswith("≤"))]
        holds = all(row.holds for row in held)
        failed += not holds
        print(f"{'ok    ' if holds else 'FAILED'} {name}")
        for row in found:
            if (not row.holds and row in held) or len(rows) == 1:
                print(
                    f"    {'ok ' if row.holds else 'BAD'} {row.way:<6} {row.label}: {row.value:.6g} ({row.condition})"
                )
    return 1 if failed else 0


def _batch(key: Key, runs: int) -> Floats:
    claim = next(claim for claim in CLAIMS if claim.id == key[0])
    return draw_batch(claim.studies[key[1]], (claim.seed, key[1], key[2]), runs)


def _runs(runs: int, share: float) -> int:
    return max(round(runs * share), min(runs, 2))


if __name__ == "__main__":
    sys.exit(main())
