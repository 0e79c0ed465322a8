"""Acceptance criteria proposed from what errors cost and what the simplest answer already achieves.

Classification with two classes, share π of the positive one, cost M of a miss and F of a false alarm. Answering always
the same costs B = min(π·M, (1 − π)·F) a case. An application with recall R and precision P costs
π·(1 − R)·M + π·R·(1/P − 1)·F. It must cost at most `WORTH_IT`·B; half of that is left to misses, half to false alarms:
R = 1 − ½·WORTH_IT·B / (π·M) and P = 1 / (1 + ½·WORTH_IT·B / (π·R·F)), rounded up.

With more classes the same holds of the positive one against all others, beside accuracy and a floor for each class. If
the owner states what each mistake costs, the mean cost takes the place of these: at most `WORTH_IT` times that of the
cheapest constant answer.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pilotbase.documents.answer_texts import read_mask, right_answer
from pilotbase.documents.base import Localized
from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.criteria import Rule, cost_of, parse_rule
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.scenario import ConstantBaseline, Costs, Criterion
from pilotbase.documents.texts import Text, percent, text
from pilotbase.measures import Cases, coded, mistake_problems, score

WORTH_IT = 0.8
"""Introducing an application is worth the effort if errors cost at most this share of what they cost today."""
HIGHEST = 0.99
FEWEST_OF_CLASS = 30
"""Public cases of a class from which a criterion of its own can be decided on as many hidden ones."""
_FLOOR, _MOST_FLOORS = 0.5, 6
"""Share of a class that must be found, and for how many classes this is asked: the rarest that have enough cases."""
_SHOWN = 80
LATENCY = "latency.p95 <= 1 s"
MEMORY = "memory.peak <= 1 GiB"
_STRUCTURED: dict[AnswerKind, str] = {
    "labels": "label_f1",
    "ranking": "top_k(k=3)",
    "boxes": "box_f1(iou=0.5)",
    "mask": "mean_iou",
}
"""The measure to begin with."""
_NOTHING = ("", "[]")
"""An empty answer reaches nothing; for boxes it is what a person would do."""


@dataclass(frozen=True)
class Proposal:
    """The simplest baseline, its score, and criteria that require something better."""

    baseline: ConstantBaseline
    measured: Text
    criteria: tuple[Criterion, ...]


class ClassCounts(NamedTuple):
    """How often each class occurs in the public sample, and which is positive: its misses cost most."""

    counts: Mapping[str, int]
    positive: str

    @property
    def costs_count(self) -> bool:
        """Return whether criteria follow from costs: always with two classes, else if the positive one has cases."""
        return len(self.counts) == 2 or self.counts[self.positive] >= FEWEST_OF_CLASS

    @property
    def share(self) -> float:
        """Return the share of the positive class."""
        return self.counts[self.positive] / sum(self.counts.values())

    @property
    def usual(self) -> str:
        """Return the most frequent class but the positive one."""
        return max((one for one in sorted(self.counts) if one != self.positive), key=lambda one: self.counts[one])


def propose_classes(classes: ClassCounts, costs: Costs) -> Proposal:
    """Return what two or more classes are asked for; costs > 0.

    Raises:
        InputError: ``draft.mistakes_free``: one answer costs nothing, whatever the case.
    """
    if costs.rule is not None:
        return _of_mistakes(classes, costs.rule)
    miss, false_alarm = costs.miss or 0.0, costs.false_alarm or 0.0
    of_costs = propose_two_classes(classes.share, classes.positive, classes.usual, miss, false_alarm)
    if len(classes.counts) == 2:
        return of_costs
    labels = [label for label, count in classes.counts.items() for _ in range(count)]
    proposal = _of_usual(labels, "accuracy", "many_classes")
    accuracy, *resources = proposal.criteria
    costly = of_costs.criteria[:2] if classes.costs_count and _reads_back(classes.positive) else ()
    return replace(proposal, criteria=(accuracy, *costly, *_floors(classes, classes.positive), *resources))


def check_mistakes(costs: Costs, classes: tuple[str, ...]) -> None:
    """Return if what mistakes cost is said of ``classes``, of each of their mistakes.

    Raises:
        InputError: with every problem; of two classes a miss and a false alarm have costs.
    """
    if costs.rule is None:
        return
    found = [text("draft.mistakes_many")] if len(classes) < 3 else mistake_problems(costs.rule, classes)
    if found:
        raise InputError.from_issues("", [Issue(file="", path="mistakes", problem=one) for one in found])


def _of_mistakes(classes: ClassCounts, rule: Rule) -> Proposal:
    """Return a mean cost of at most `WORTH_IT` times that of the cheapest answer that is always the same."""
    counts, total = classes.counts, sum(classes.counts.values())

    def mean(answer: str) -> float:
        return sum(count * float(cost_of(rule.mistakes, one, answer) or 0) for one, count in counts.items()) / total

    usual = min(sorted(counts), key=mean)
    needed = _significant(WORTH_IT * mean(usual), 3, up=False)
    if needed <= 0:
        raise InputError("draft.mistakes_free", answer=usual)
    values = {"answer": usual[:_SHOWN], "cost": f"{mean(usual):.3g}", "needed": f"{needed:g}"}
    asked = replace(rule, threshold=Decimal(_plain(needed)))
    criteria = (_criterion(str(asked), text("draft.why.mistakes", **values)), *_floors(classes), *_resources())
    return Proposal(ConstantBaseline(value=usual), text("draft.baseline.mistakes", **values), criteria)


def _floors(classes: ClassCounts, but: str | None = None) -> list[Criterion]:
    """Return what keeps accuracy, or a small cost, from coming from frequent classes alone."""
    counts, total = classes.counts, sum(classes.counts.values())
    enough = [one for one, count in counts.items() if count >= FEWEST_OF_CLASS and one != but]
    rarest = sorted(filter(_reads_back, enough), key=lambda one: (counts[one], one))[:_MOST_FLOORS]
    return [
        _criterion(
            f"recall({one}) >= {_FLOOR}", text("draft.why.floor", label=one, share=_percent(counts[one] / total))
        )
        for one in rarest
    ]


def propose_two_classes(share: float, positive: str, negative: str, miss: float, false_alarm: float) -> Proposal:
    """Return recall and precision of ``positive``, whose ``share`` of the public sample lies in (0, 1); costs > 0."""
    silent, always = share * miss, (1 - share) * false_alarm
    allowed = WORTH_IT * min(silent, always) / 2
    recall = _ceil(1 - allowed / (share * miss))
    precision = _ceil(1 / (1 + allowed / (share * recall * false_alarm)))
    answer = negative if silent <= always else positive
    values = {"share": _percent(share, 1), "miss": f"{miss:g}", "false_alarm": f"{false_alarm:g}"}
    values |= {"baseline": f"{min(silent, always):.3g}", "allowed": f"{2 * allowed:.3g}", "half": f"{allowed:.3g}"}
    why_recall = text("draft.why.recall", **values, recall=_percent(recall), answer=answer)
    why_precision = text("draft.why.precision", **values, precision=_percent(precision), answer=answer)
    label = positive if _reads_back(positive) else None
    criteria = (
        _criterion(f"{_measure('recall', label)} >= {recall:.2f}", why_recall),
        _criterion(f"{_measure('precision', label)} >= {precision:.2f}", why_precision),
    )
    measured = text("draft.baseline.two_classes", answer=answer, **values)
    return Proposal(ConstantBaseline(value=answer), measured, (*criteria, *_resources()))


def propose_texts(truths: list[str]) -> Proposal:
    """Return a share of exact answers that leaves at most `WORTH_IT` of the errors of always giving the usual text."""
    return _of_usual(truths, "exact_match", "texts")


def _of_usual(truths: list[str], measure: str, kind: str) -> Proposal:
    usual = max(sorted(set(truths)), key=truths.count)
    share = truths.count(usual) / len(truths)
    needed = _ceil(1 - WORTH_IT * (1 - share))
    values = {"answer": usual[:_SHOWN], "accuracy": _percent(share, 1), "needed": _percent(needed)}
    criteria = (_criterion(f"{measure} >= {needed:.2f}", text(f"draft.why.{measure}", **values)), *_resources())
    return Proposal(ConstantBaseline(value=usual), text(f"draft.baseline.{kind}", **values), criteria)


def propose_structured(truths: list[str], kind: AnswerKind, classes: tuple[str, ...]) -> Proposal:
    """Return a measure of this kind that leaves at most `WORTH_IT` of what the usual answer lacks."""
    usual, measure = _usual(truths, kind), _STRUCTURED[kind]
    answers = np.array([usual] * len(truths), dtype=object)
    cases = Cases(truth=np.array(truths, dtype=object), answers=answers, classes=classes, kind=kind)
    reached = score(parse_rule(f"{measure} >= 0"), coded(cases)) or 0.0
    needed = _ceil(1 - WORTH_IT * (1 - reached))
    values = {"answer": usual[:_SHOWN], "measure": measure, "reached": f"{reached:.3f}", "needed": f"{needed:.2f}"}
    criteria = (_criterion(f"{measure} >= {needed:.2f}", text("draft.why.structured", **values)), *_resources())
    return Proposal(ConstantBaseline(value=usual), text("draft.baseline.structured", **values), criteria)


def _usual(truths: Sequence[str], kind: AnswerKind) -> str:
    """Return the answer that is right most often; for masks the usual class, in the usual size, everywhere."""
    if kind != "mask":
        told = [truth for truth in truths if kind == "boxes" or truth not in _NOTHING] or ["[]"]
        return right_answer(max(sorted(set(told)), key=told.count), kind)
    sizes: Counter[tuple[int, int]] = Counter()
    pixels: Counter[int] = Counter()
    for truth in filter(str.strip, truths):
        height, width, runs = read_mask(truth, range(256))  # type: ignore[arg-type]
        sizes[height, width] += 1
        for code, length in zip(runs[::2], runs[1::2], strict=True):
            pixels[code] += length
    height, width = max(sorted(sizes), key=sizes.__getitem__)
    code = max(sorted(pixels), key=pixels.__getitem__)
    return json.dumps({"size": [height, width], "runs": [code, height * width]})


def propose_regression(truth: npt.NDArray[np.float64], unit: str | None) -> Proposal:
    """Return a capped mean absolute error of at most `WORTH_IT` times that of always answering the median.

    The cap is the 99th percentile of the baseline's errors, so that a few wild cases cannot decide.

    Raises:
        InputError: ``draft.constant_target``: the target hardly varies.
    """
    median = float(np.median(truth))
    errors = np.abs(truth - median)
    cap = _significant(float(np.quantile(errors, 0.99)), 2, up=True)
    if cap <= 0:
        raise InputError("draft.constant_target", found=f"{median:g}")
    today = float(np.minimum(errors, cap).mean())
    needed = _significant(WORTH_IT * today, 3, up=False)
    spelled = f" {unit}" if unit else ""
    values = {"answer": f"{median:.4g}{spelled}", "error": f"{today:.3g}{spelled}", "cap": f"{cap:g}{spelled}"}
    why = text("draft.why.capped_mae", needed=f"{needed:g}{spelled}", **values)
    rule = f"capped_mae(cap={_plain(cap)}) <= {_plain(needed)}"
    baseline = ConstantBaseline(value=float(f"{median:.6g}"))
    return Proposal(baseline, text("draft.baseline.regression", **values), (_criterion(rule, why), *_resources()))


def in_both_languages(sentence: Text) -> Localized:
    """Return a sentence of the catalogue as an owner's text in both languages."""
    return Localized(en=sentence.render("en"), zh=sentence.render("zh"))


def _resources() -> tuple[Criterion, Criterion]:
    return _criterion(LATENCY, text("draft.why.latency")), _criterion(MEMORY, text("draft.why.memory"))


def _criterion(rule: str, why: Text) -> Criterion:
    return Criterion(rule=rule, why=in_both_languages(why))


def _measure(name: str, label: str | None) -> str:
    return f"{name}({label})" if label is not None else name


def _reads_back(label: str) -> bool:
    """Return whether a rule can name this class; if not, the measure is about the positive class anyway."""
    try:
        return parse_rule(f"recall({label}) >= 0.5").label == label
    except InputError:
        return False


def _ceil(share: float) -> float:
    return min(HIGHEST, max(0.01, math.ceil(round(share * 100, 6)) / 100))


def _significant(value: float, digits: int, up: bool) -> float:
    if value <= 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    whole = math.ceil(value / step - 1e-9) if up else math.floor(value / step + 1e-9)
    return float(f"{whole * step:.12g}")


def _plain(number: float) -> str:
    return np.format_float_positional(number, trim="-")


def _percent(share: float, digits: int = 0) -> Text:
    return percent(share, f".{digits}f")
