"""Faults that a note names in English words."""

WORDS = {
    "leak": ("drip", "leak", "puddle", "wet"),
    "noise": ("sound", "squeal", "knock", "humming"),
    "heat": ("hot", "overheat", "temperature"),
    "rust": ("rust", "corroded", "pitting"),
    "wiring": ("insulation", "fuse", "terminal", "wire"),
}


def predict(batch):
    return [[fault for fault, words in WORDS.items() if any(word in note for word in words)] for note in batch["note"]]
