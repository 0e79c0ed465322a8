"""Events that span several cases: a failure of a machine, an intrusion, a fall. One unit is one event.

The criterion's ``unit`` column names the units. Evidence then draws units instead of cases, and counts each once;
without such a column every case is a separate event.
"""

import numpy as np

from pilotbase.measures.definition import CLASSIFYING, CUT, SHARE, Measure
from pilotbase.measures.observation import MeasureInput, MeasurePart


def event_recall(question: MeasureInput) -> MeasurePart:
    """Return, among units with a case of the class, 1 if any case of it is found; known at the last one scored."""
    (named, absent), size = question.named(), len(question.cases)
    hits = named | absent if question.worst(0, 1) else named & ~absent
    units = question.cases.units if question.cases.units is not None else np.arange(size)
    place = np.full(size, -1, dtype=np.int64)
    place[question.order] = np.arange(len(question.order))
    rows = np.flatnonzero(question.ours())
    rows = rows[np.argsort(place[rows], kind="stable")]
    _, event = np.unique(units[rows], return_inverse=True)
    last, found = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.bool_)
    last[event] = rows  # keeps the last row of each event
    np.logical_or.at(found, event, hits[rows])
    events = int(event.max(initial=-1)) + 1
    gain, weight = np.zeros(size, dtype=np.int8), np.zeros(size, dtype=np.int8)
    gain[last[:events]], weight[last[:events]] = found[:events], 1
    return MeasurePart(gain, weight, ((0, 1), (1, 1)))


MEASURES = (
    Measure(
        "event_recall", "units with a case found / units with a case of the class",
        "Tatbul et al., NeurIPS 2018 (range-based recall, existence alone); Hundman et al., KDD 2018", "higher",
        CLASSIFYING, event_recall, parameters=(CUT,), of_class=True, paired=True, by_case=False, guarantees=SHARE,
        beside=("specificity", "precision", "recall_at_false_alarms"),
    ),
)  # fmt: skip
