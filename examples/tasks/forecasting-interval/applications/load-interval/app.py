"""The span of the load of an hour: the forecast of its lead, and how far off nine in ten were elsewhere."""

import json
from pathlib import Path

MODEL = json.loads(Path(__file__).with_name("model.json").read_text("utf-8"))
READ = ("lead", "hour", "weekend", "temperature", "load_now", "load_day_before", "load_week_before")


def predict(batch):
    return [span(row) for row in zip(*(batch[name] for name in READ), strict=True)]


def span(row):
    lead, hour, weekend, temperature, now, day_before, week_before = row
    weights, off = MODEL["weights"][str(int(lead))], MODEL["off"][str(int(lead))]
    place = int(hour) + 24 * bool(weekend)
    now, day_before = (week_before if value != value else value for value in (now, day_before))  # missing is NaN
    seen = (max(18 - temperature, 0), now / 10, day_before / 10, week_before / 10)
    load = weights[place] + sum(weight * value for weight, value in zip(weights[48:], seen, strict=True))
    return load - off, load + off
