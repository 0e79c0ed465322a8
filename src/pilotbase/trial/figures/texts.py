"""By how much answers in words differ from what was expected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import TextDifferences
from pilotbase.measures import Cases
from pilotbase.measures.text_pairs import edit_distance

ENDS = (0.02, 0.05, 0.1, 0.2, 0.5)
OF_TRANSCRIPTS = frozenset({"cer", "wer", "edit_similarity"})
"""Measures that ask how close a text comes, letter by letter."""
LONGEST = 2000
"""Characters of a truth beyond which nobody counts them one by one for a picture."""


def text_differences(cases: Cases, rules: Sequence[Rule]) -> TextDifferences:
    """Return how many answers are the truth, and where a rule asks how close they come, how far the others are off."""
    pairs = list(zip(cases.truth.tolist(), cases.answers.tolist(), strict=True))
    asked = [(truth, answer) for truth, answer in pairs if truth is not None]
    refusing = [answer is None for truth, answer in pairs if truth is None]
    differing = [(truth, answer) for truth, answer in asked if answer is not None and answer != truth]
    ends = ENDS if any(rule.measure in OF_TRANSCRIPTS for rule in rules) else ()
    shares = [_share(truth, answer) for truth, answer in differing] if ends else [0.0] * len(differing)
    counts = np.bincount(np.searchsorted(ends, shares, side="left"), minlength=len(ends) + 1)
    return TextDifferences(
        same=sum(answer == truth for truth, answer in asked),
        ends=ends,
        differing=tuple(counts.tolist()),
        absent=sum(answer is None for _, answer in asked),
        refused=sum(refusing) if refusing else None,
        not_refused=len(refusing) - sum(refusing) if refusing else None,
    )


def _share(truth: str, answer: str) -> float:
    """Return the edits that turn ``answer`` into ``truth``, a share of its characters; of long ones their begin."""
    held = truth[:LONGEST]
    return edit_distance(held, answer[: 2 * LONGEST]) / max(len(held), 1)
