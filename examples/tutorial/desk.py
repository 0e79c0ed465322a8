"""Counts how often flights like this one were late: by hour, carrier, airport, and recent delays there.

``python app.py SAMPLE.csv`` counts the public sample and writes ``counts.json`` beside this file.
"""

import csv
import json
import math
import sys
from collections import Counter
from pathlib import Path

COUNTS = Path(__file__).with_name("counts.json")
ALARM_SHARE = 0.4
"""The share of flights that the desk has people for."""


def predict(batch):
    counts = json.loads(COUNTS.read_text())
    flights = zip(batch["hour"], batch["carrier"], batch["origin"], batch["recent_delay"], strict=True)
    return ["late" if odds(counts, traits(*flight)) >= counts["cut"] else "on_time" for flight in flights]


def traits(hour, carrier, origin, recent):
    """Return what is counted of a flight; ``recent``: minutes, or None, "" or NaN where nothing has left yet."""
    minutes = math.nan if recent in (None, "") else float(recent)
    delay = "none" if math.isnan(minutes) else min(int(minutes // 10), 6)
    return [f"hour {int(hour)}", f"carrier {carrier}", f"origin {origin}", f"recent {delay}"]


def odds(counts, names):
    """Return by how much the traits of a flight raise the log odds of being late, compared with all flights."""
    everything = counts["all"]
    return sum(rate(counts["seen"].get(name, [0, 0]), everything) for name in names)


def rate(seen, everything):
    flights, late = seen
    share = late + 5 * everything
    return math.log(share / (flights + 5 - share)) - math.log(everything / (1 - everything))


def count(sample):
    rows = list(csv.DictReader(sample.open(encoding="utf-8")))
    named = [traits(row["hour"], row["carrier"], row["origin"], row["recent_delay"]) for row in rows]
    late = [row["arrival"] == "late" for row in rows]
    flights = Counter(name for names in named for name in names)
    lates = Counter(name for names, is_late in zip(named, late, strict=True) if is_late for name in names)
    counts = {"all": sum(late) / len(late), "seen": {name: [flights[name], lates[name]] for name in flights}}
    ranked = sorted((odds(counts, names) for names in named), reverse=True)
    return {**counts, "cut": ranked[int(ALARM_SHARE * len(ranked))]}


if __name__ == "__main__":
    COUNTS.write_text(json.dumps(count(Path(sys.argv[1])), indent=1))
