"""Recorded runs from a log of Inspect AI, as the table that recorded answers are read from.

Columns: ``case`` (sample and epoch), ``truth`` (the sample's target), ``prediction`` (what was answered in the end),
``score:<scorer>``, ``group:<name>`` for its metadata, and ``unit``, the sample, where samples were run several times.
Of a run that ended with an error or at a limit, or is missing though it was to be made, no answer and no score counts.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl

from pilotbase.documents.texts import Text, text
from pilotbase.protocols.inspect_logs import InspectLog, SampleRun, read_inspect_log
from pilotbase.trial.stored_records import GROUP, SCORE


def read_recorded_log(path: Path) -> tuple[pl.DataFrame, Text]:
    """Return the table of a log, all texts, and a sentence on what it holds; raises as `read_inspect_log`."""
    log = read_inspect_log(path)
    return _table(log), _told(log, path.name)


def _table(log: InspectLog) -> pl.DataFrame:
    runs = log.runs
    columns: dict[str, list[str | None]] = {
        "case": [f"{run.sample}#{run.epoch}" for run in runs],
        "truth": [run.target for run in runs],
        "prediction": [run.answer if run.end == "scored" else None for run in runs],
    }
    if len({run.sample for run in runs}) < len(runs):
        columns["unit"] = [run.sample for run in runs]
    for scorer in log.scorers:
        columns[f"{SCORE}{scorer}"] = [_score(run, scorer) for run in runs]
    for name in sorted({name for run in runs for name in run.metadata or {}}):
        columns[f"{GROUP}{name}"] = [(run.metadata or {}).get(name) for run in runs]
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _score(run: SampleRun, scorer: str) -> str | None:
    score = run.scores.get(scorer) if run.end == "scored" else None
    return None if score is None else repr(score)


def _told(log: InspectLog, file: str) -> Text:
    ends = Counter(run.end for run in log.runs)
    return text(
        "inspect.read",
        file=file,
        task=log.task,
        model=log.model,
        runs=len(log.runs),
        samples=len({run.sample for run in log.runs}),
        errors=ends["error"],
        limits=ends["limit"],
        missing=ends["missing"],
    )
