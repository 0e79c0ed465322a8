"""Asks a service about the departures of ``later.csv``, a day a second, and prints how they ended: ``case,label``.

``python call.py later.csv --service flights --days 8 > labels.csv`` with PILOTBASE_GATEWAY and PILOTBASE_SERVICE_KEY.
"""

import argparse
import csv
import json
import os
import sys
import time
import urllib.request
from itertools import groupby, islice

WORDS = ("origin", "destination", "carrier")
WHOLE = ("hour", "weekday", "departures_in_hour")
TIME, TRUTH, CUT = "scheduled_departure", "arrival", 0.2


def main() -> None:
    """Call, count what was found, print labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--service", required=True)
    parser.add_argument("--days", type=int, default=8)
    options = parser.parse_args()
    with open(options.table, encoding="utf-8") as file:
        days = groupby(csv.DictReader(file), key=lambda row: row[TIME][:10])
        print("case,label")
        for day, rows in islice(days, options.days):
            live(options.service, day, list(rows))


def live(service: str, day: str, rows: list[dict[str, str]]) -> None:
    """Ask about one day, say on standard error what was found, and print its labels."""
    began = time.monotonic()
    call = f"{day}-{os.getpid()}"
    answers = infer(service, call, rows)
    late = [answer for answer, row in zip(answers, rows, strict=True) if row[TRUTH] == "late"]
    found = sum(answer is not None and answer >= CUT for answer in late)
    print(f"{day}: {found} of {len(late)} late departures were found", file=sys.stderr)
    for row, departure in enumerate(rows):
        print(f"{call}/{row},{departure[TRUTH]}")
    time.sleep(max(0.0, 1.1 - (time.monotonic() - began)))


def infer(service: str, call: str, rows: list[dict[str, str]]) -> list[float | None]:
    """Return the gateway's answer to each row, by the Open Inference Protocol."""
    names = [name for name in rows[0] if name not in (TIME, TRUTH)]
    body = json.dumps({"id": call, "inputs": [tensor(name, [row[name] for row in rows]) for name in names]}).encode()
    key = os.environ["PILOTBASE_SERVICE_KEY"]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{os.environ['PILOTBASE_GATEWAY']}/v2/models/{service}/infer", body, headers)
    with urllib.request.urlopen(request) as answer:
        outputs: list[float | None] = json.load(answer)["outputs"][0]["data"]
        return outputs


def tensor(name: str, values: list[str]) -> dict[str, object]:
    """Return a column as a tensor; an empty cell is a missing number."""
    if name in WORDS:
        return {"name": name, "shape": [len(values)], "datatype": "BYTES", "data": values}
    kind, datatype = (int, "INT64") if name in WHOLE else (float, "FP64")
    data = [kind(value) if value else None for value in values]
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": data}


if __name__ == "__main__":
    main()
