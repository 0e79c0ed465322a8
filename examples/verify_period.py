"""Recount a period report of a pilot base from its file alone: python verify_period.py 2026-Q3.json

Needs Python 3.9 or later and no package, neither of the base nor of others: it is a second reading of what a report
says. It computes the digest (SHA-256 of the canonical JSON, RFC 8785), the edges of the period and every figure of the
definitions of version 1, and ends with 1 at the first that differs. Look the digest up on the base's page *Figures*.
"""

import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta, timezone

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
# figure → kind of record, milestone, verdict
FLOWS = {
    "opened": ("scenario", "opened", None),
    "proposed": ("commission", "proposed", None),
    "trials": ("commission", "agreed", None),
    "verdicts": ("commission", "reported", None),
    "accepted": ("commission", "reported", "accept"),
    "rejected": ("commission", "reported", "reject"),
    "inconclusive": ("commission", "reported", "inconclusive"),
    "certified": ("commission", "certified", None),
    "served": ("service", "served", None),
    "warned": ("service", "warned", None),
    "stopped": ("service", "stopped", None),
}
# figure → milestone of trials, and whose number counts
PARTIES = {
    "owners": ("agreed", "owner"),
    "suppliers": ("agreed", "supplier"),
    "serving_suppliers": ("served", "supplier"),
}
ENDED = ("declined", "cancelled", "revoked")


def canonical(value):
    """Return a JSON value as RFC 8785 spells it."""
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(one)}" for name, one in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def number(value):
    """Return a number as ECMAScript spells it, for those that a report can hold: at most 10^21, no tiny ones."""
    return str(int(value)) if value == int(value) else repr(value)


def edges(period, offset):
    """Return when a period begins and ends; days end at midnight of the base's zone."""
    hours, minutes = offset[1:].split(":")
    away = timedelta(hours=int(hours), minutes=int(minutes))
    zone = timezone(-away if offset[0] == "-" else away)
    year, part = int(period[:4]), period[5:]
    first, months = 1, 12
    if part:
        months = {"H": 6, "Q": 3}.get(part[0], 1)
        first = (int(part[1:]) - 1) * months + 1 if part[0] in "HQ" else int(part)
    years, after = divmod(first + months - 1, 12)
    return datetime(year, first, 1, tzinfo=zone), datetime(year + years, after + 1, 1, tzinfo=zone)


def moment(spelled):
    return datetime.fromisoformat(spelled.replace("Z", "+00:00"))


def reached(records, kind, milestone, start, end, verdict=None):
    """Return the records that reached a milestone from a start until before an end, the earliest first."""
    found = []
    for one in records:
        at = one["at"].get(milestone)
        if one["kind"] == kind and verdict in (None, one.get("verdict")) and at is not None and start <= at < end:
            found.append((at, one))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def reused(records, start, end):
    """Count certificates of applications that held one for another scenario before."""
    before, number_of = {}, 0
    for one in reached(records, "commission", "certified", ALWAYS, end):
        held = before.setdefault(one.get("application", ""), set())
        number_of += one["at"]["certified"] >= start and bool(held - {one.get("scenario", "")})
        held.add(one.get("scenario", ""))
    return number_of


def side_by_side(records, start, end):
    """Count scenarios with the sector, action and supports of one that another owner had opened before."""
    owners, number_of = {}, 0
    for one in reached(records, "scenario", "opened", ALWAYS, end):
        place = (one.get("sector", ""), one.get("action", ""), tuple(one.get("supports", ())))
        known = owners.setdefault(place, set())
        number_of += bool(place[0] and place[1] and known - {one["owner"]}) and one["at"]["opened"] >= start
        known.add(one["owner"])
    return number_of


def days_to_certificate(records, end):
    """Return the product-limit estimate of the days after which half of the trials had a certificate."""
    taken, waiting, never = [], [], 0
    for one in reached(records, "commission", "demanded", ALWAYS, end):
        begun, certified = one["at"]["demanded"], one["at"].get("certified")
        if certified is not None:
            taken.append(max((certified - begun) / timedelta(days=1), 0))
        elif one["state"] in ENDED:
            never += 1
        else:
            waiting.append(max((end - begun) / timedelta(days=1), 0))
    left = 1.0
    for day in sorted(set(taken)):
        at_risk = sum(one >= day for one in taken) + sum(one >= day for one in waiting) + never
        left *= 1 - taken.count(day) / at_risk
        if left <= 0.5 + 1e-12:
            return round(day, 3)
    return None


def count(records, start, end):
    """Return figure → its number from a start until before an end."""
    found = {}
    for name, (kind, mark, verdict) in FLOWS.items():
        found[name] = len(reached(records, kind, mark, start, end, verdict))
    for name, (mark, whose) in PARTIES.items():
        found[name] = len({one.get(whose, "") for one in reached(records, "commission", mark, start, end)} - {""})
    return {**found, "reused": reused(records, start, end), "side_by_side": side_by_side(records, start, end)}


def check(report):
    """Return what differs first; None: nothing."""
    start, end = edges(report["period"], report["offset"])
    if (moment(report["start"]), moment(report["end"])) != (start, end):
        return "the edges of the period"
    records = []
    for one in report["records"]:
        records.append(dict(one, at={name: moment(at) for name, at in one.get("reached", {}).items()}))
    here, so_far = count(records, start, end), count(records, ALWAYS, end)
    so_far["days_to_certificate"] = days_to_certificate(records, end)
    told = {one["figure"]: one for one in report["figures"]}
    for name in sorted(so_far.keys() | told.keys()):
        one = told.get(name)
        if one is None or name not in so_far or one["version"] != 1:
            return f"figure {name}: not a figure of version 1, or missing"
        counted = (here.get(name), so_far[name])
        if (one.get("in_period"), one.get("so_far")) != counted:
            return f"figure {name}: {one.get('in_period')} / {one.get('so_far')}, counted {counted[0]} / {counted[1]}"
    return None


def main(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    print("sha256:" + hashlib.sha256(canonical(report).encode("utf-8")).hexdigest())
    wrong = check(report)
    said = f"every figure counts as told, {len(report['records'])} records"
    print(f"{report['period']}: {'differs: ' + wrong if wrong else said}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
