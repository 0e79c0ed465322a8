"""Takes the first number for the quantity and the date as it stands."""

import json
import re


def predict(batch):
    return [json.dumps(fields(note), ensure_ascii=False) for note in batch["note"]]


def fields(note):
    order = re.search(r"PO-\d+", note)
    dates = re.search(r"\d{4}\D\d+\D\d+\D?|\d+ \w+ \d{4}", note)
    return {
        "order": order[0] if order else None,
        "article": note.split("\n")[2],
        "quantity": int(re.search(r"\d+", note)[0]),
        "date": dates[0] if dates else None,
        "damaged": False,
    }
