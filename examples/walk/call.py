"""Asks a service about the departures of ``later.csv``, a day a second, and writes how they ended: ``case,label``.

Set PILOTBASE_GATEWAY and PILOTBASE_SERVICE_KEY; ``python call.py later.csv --service flights --out labels.csv``. A case
is named by its run, day and row; to ask the same service again, give the run another name: ``--run again``.
"""

import argparse
import csv
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from itertools import groupby, islice
from typing import NamedTuple

WORDS = ("origin", "destination", "carrier")
WHOLE = ("hour", "weekday", "departures_in_hour")
TIME, TRUTH, CUT = "scheduled_departure", "arrival", 0.2
SECONDS = 60


class Answer(NamedTuple):
    """The answer to each row, and who gave it: ``serving``, ``fallen_back`` or ``human``."""

    answers: list[float | None]
    standing: str


def main() -> None:
    """Call, count what was found, write labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--service", required=True)
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--run", default="april", help="first part of the name of every case")
    parser.add_argument("--out", default="labels.csv")
    options = parser.parse_args()
    unset = [name for name in ("PILOTBASE_GATEWAY", "PILOTBASE_SERVICE_KEY") if not os.environ.get(name)]
    if unset:
        parser.error(f"set {' and '.join(unset)}")
    labels: list[tuple[str, str]] = []
    with open(options.table, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        for day, departures in islice(groupby(rows, key=lambda row: row[TIME][:10]), options.days):
            labels += live(options.service, f"{options.run}-{day}", list(departures))
    except urllib.error.HTTPError as error:
        sys.exit(told(error))
    except urllib.error.URLError as error:
        sys.exit(f"No gateway answers at {os.environ['PILOTBASE_GATEWAY']}: {error.reason}")
    except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
        sys.exit(f"No gateway answers at {os.environ['PILOTBASE_GATEWAY']}: {error!r}")
    finally:
        if labels:
            write(options.out, labels)


def live(service: str, call: str, rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Ask about one day, say what was found and by whom, and return its labels, case by case."""
    found = infer(service, call, rows)
    # An answer belongs to the second in which it was given: the next day is asked about in another.
    time.sleep(1.05 - time.time() % 1)
    late = [answer for answer, row in zip(found.answers, rows, strict=True) if row[TRUTH] == "late"]
    if found.standing == "human":
        print(f"{call}: no version answers, all {len(rows)} departures are left to a person")
    else:
        hits = sum(answer is not None and answer >= CUT for answer in late)
        by = " (an earlier version answers: the service has fallen back)" if found.standing == "fallen_back" else ""
        print(f"{call}: {hits} of {len(late)} late departures were found{by}")
    return [(f"{call}/{row}", departure[TRUTH]) for row, departure in enumerate(rows)]


def infer(service: str, call: str, rows: list[dict[str, str]]) -> Answer:
    """Return the gateway's answer to each row, by the Open Inference Protocol."""
    names = [name for name in rows[0] if name not in (TIME, TRUTH)]
    body = json.dumps({"id": call, "inputs": [tensor(name, [row[name] for row in rows]) for name in names]}).encode()
    key = os.environ["PILOTBASE_SERVICE_KEY"]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{os.environ['PILOTBASE_GATEWAY']}/v2/models/{service}/infer", body, headers)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return Answer(json.load(answer)["outputs"][0]["data"], answer.headers["Pilotbase-Standing"])


def tensor(name: str, values: list[str]) -> dict[str, object]:
    """Return a column as a tensor; an empty cell is a missing number."""
    if name in WORDS:
        return {"name": name, "shape": [len(values)], "datatype": "BYTES", "data": values}
    kind, datatype = (int, "INT64") if name in WHOLE else (float, "FP64")
    data = [kind(value) if value else None for value in values]
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": data}


def told(error: urllib.error.HTTPError) -> str:
    """Return what the gateway says of a refusal, in its own words."""
    try:
        return f"The gateway says ({error.code}): {json.load(error)['error']}"
    except (ValueError, LookupError, TypeError):
        return (
            f"No gateway answers at {os.environ['PILOTBASE_GATEWAY']} ({error.code}): use the address that serve prints"
        )


def write(path: str, labels: list[tuple[str, str]]) -> None:
    """Write labels as a table that ``pilotbase watch take`` reads."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("case", "label"), *labels])
    print(f"{len(labels)} labels are in {path}")


if __name__ == "__main__":
    main()
