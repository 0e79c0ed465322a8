"""Reads each field by what stands before or after it."""

import json
import re

MONTHS = {
    name: number + 1
    for number, name in enumerate(
        (
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        )
    )
}
FIELDS = {
    "order": r"(PO-\d+)",
    "article": r"(?:Article: |pcs of |品名：)(.+)|送达(\D+?)\d",
    "quantity": r"(?:Quantity: |deliver |数量：)(\d+)|送达\D+(\d+)件",
}
DATES = r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})"
DAMAGED = re.compile(r"crushed|damaged|破损|损坏")


def predict(batch):
    return [json.dumps(fields(note), ensure_ascii=False) for note in batch["note"]]


def fields(note):
    found = {name: first(pattern, note) for name, pattern in FIELDS.items()}
    found["quantity"] = found["quantity"] and int(found["quantity"])
    return {**found, "date": day(note), "damaged": bool(DAMAGED.search(note))}


def first(pattern, note):
    found = re.search(pattern, note)
    return next((group.strip() for group in found.groups() if group), None) if found else None


def day(note):
    if found := re.search(DATES, note):
        year, month, number = map(int, found.groups())
    elif found := re.search(r"(\d+) (\w+) (\d{4})", note):
        number, month, year = int(found[1]), MONTHS[found[2]], int(found[3])
    else:
        return None
    return f"{year}-{month:02}-{number:02}"
