"""Faults that a note names, by its pairs of letters."""

import json
import unicodedata
from pathlib import Path

FILE = Path(__file__).with_name("model.json")
MODEL = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


def predict(batch):
    return [faults(note) for note in batch["note"]]


def faults(note):
    seen = pairs(note)
    return [
        fault
        for fault, model in MODEL.items()
        if model["start"] + sum(weight for pair, weight in model["pairs"].items() if pair in seen) > 0
    ]


def pairs(note):
    """Return each two letters that stand together, small and narrow; digits are one of a kind."""
    letters = "".join("0" if one.isdigit() else one for one in unicodedata.normalize("NFKC", note).lower())
    return {letters[at : at + 2] for at in range(len(letters) - 1)}
