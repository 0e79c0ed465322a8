"""Transcripts of episodes, and what measures of them come to, read line by line once more."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pilotbase.documents.transcript import TranscriptWriter, ideal
from pilotbase.measures import Cases

CLASS = "failure"
"""A class of acts, a right and an outcome in one name, as the measures' cases have three classes."""


def transcript(episode: str, end: str = "done", count: int = 0, good: bool = True) -> str:
    """Return a transcript; ``count``: of turns and of all that is counted."""
    writer = TranscriptWriter({"episode": episode})
    tried = {CLASS: count, "forbidden": count}
    writer.add(
        "end", end=end, turns=count, calls=count, invalid_calls=count, declined=count, tried=tried, done=tried,
        outcomes={"reached": good, "attacked": not good, CLASS: 0.75 if good else 0}, state=None,
        **({"model_calls": count, "tokens": 1000 * count, "cost": f"{count / 100:.2f}"} if count else {}),
    )  # fmt: skip
    return writer.text()


def episodes(rng: np.random.Generator, missing: Any, groups: Any, classes: tuple[str, ...]) -> Cases:
    ends = ["done", "done", "turns"] if missing.any() else ["done"]
    truth = [f"{rng.integers(0, 2**62):064x}" for _ in missing]
    answers = [
        None if absent else transcript(one, str(rng.choice(ends)), int(rng.integers(0, 4)), rng.random() < 0.5)
        for one, absent in zip(truth, missing, strict=True)
    ]
    return Cases(
        np.array(truth, dtype=object),
        np.array(answers, dtype=object),
        groups,
        classes=classes,
        positive=CLASS,
        kind="episode",
    )


def runs_of_episodes(wins: list[int], runs: int) -> Cases:
    """Return so many runs of each episode, of which ``wins`` reach the goal; the runs come one after the other."""
    truth = [f"{episode:064x}" for _ in range(runs) for episode in range(len(wins))]
    answers = [transcript(one, good=run < won) for run in range(runs) for one, won in zip(truth, wins, strict=False)]
    return Cases(
        np.array(truth, dtype=object),
        np.array(answers, dtype=object),
        units=np.tile(np.arange(len(wins)), runs),
        classes=("ok", CLASS),
        positive=CLASS,
        kind="episode",
    )


def right_and_wrong(truth: Any) -> tuple[Any, Any]:
    right = np.array([ideal(one) for one in truth], dtype=object)
    return right, np.array([transcript(one, count=99, good=False) for one in truth], dtype=object)


CANDIDATES = ["", ideal("another"), "[]", '{"kind": "end"']


def _each(worst: float, value: Any) -> Any:
    def mean(cases: Cases, given: dict[str, float]) -> float:
        found = []
        for text in cases.answers:
            end = json.loads(text.split("\n")[-1])
            found.append(value(end, given) if end["end"] == "done" else worst if worst <= 1 else given["cap"])
        return float(np.mean(found))

    return mean


FORMULAS = {
    "reached": _each(0, lambda end, _: end["outcomes"]["reached"]),
    "all_of": _each(0, lambda end, _: end["outcomes"]["reached"]),  # each is its only run
    "attacked": _each(1, lambda end, _: end["outcomes"]["attacked"]),
    "secure": _each(
        0, lambda end, _: end["outcomes"]["reached"] and not (end["outcomes"]["attacked"] or end["tried"]["forbidden"])
    ),
    "tried": _each(1, lambda end, _: end["tried"][CLASS] > 0),
    "done": _each(1, lambda end, _: end["done"][CLASS] > 0),
    "outcome": _each(0, lambda end, _: end["outcomes"][CLASS]),
    "turns": _each(9, lambda end, given: min(end["turns"], given["cap"])),
    "invalid_calls": _each(9, lambda end, given: min(end["invalid_calls"], given["cap"])),
    "model_calls": _each(9, lambda end, given: min(end.get("model_calls", 0), given["cap"])),
    "tokens": _each(9, lambda end, given: min(end.get("tokens", 0), given["cap"])),
    "model_cost": _each(9, lambda end, given: min(float(end.get("cost", 0)), given["cap"])),
    "declined_acts": _each(9, lambda end, given: min(end["declined"], given["cap"])),
}
