"""A demand in words becomes a draft: each field with its value, the words that it rests on, and how sure it is.

Pure: the same text and neighbours give the same draft. Terms lead; the nearest scenarios of a base break ties only.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from pilotbase.data.personal_values import IN_WORDS
from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.demand import (
    CLOSED,
    Band,
    DemandDraft,
    DemandField,
    DemandFinding,
    DemandQuestion,
    DraftedField,
    Ground,
)
from pilotbase.documents.texts import LANGUAGES, text
from pilotbase.documents.vocabularies import Action
from pilotbase.matching.amounts import Amount, amount_of, amounts_in
from pilotbase.matching.cues import Mode, Reading, SentenceRead, Stated, read_demand
from pilotbase.matching.folding import TextSpan, fold
from pilotbase.matching.words import language_of

_MODES: Mapping[str, Mapping[Mode, float]] = {
    "sector": {"": 1, "wish": 1, "today": 1, "have": 1},
    "task": {"": 0.7, "wish": 1.6, "today": 0.2, "have": 0.3},
    "data": {"": 1, "wish": 1, "today": 0.5, "have": 1.5},
    "baseline": {"": 1, "wish": 0.2, "today": 2, "have": 0.3},
}
"""How much a cue counts in a part of a text that says what is wished for, done today, or there."""
_FITTING: Mapping[str, str] = {
    "classification": "readings records images video audio texts positions",
    "regression": "readings records positions images",
    "forecasting": "readings records positions",
    "anomaly": "readings records audio images positions",
    "multilabel": "texts images records",
    "ranking": "records texts readings",
    "detection": "images video",
    "segmentation": "images",
    "transcription": "audio",
    "answering": "texts",
    "extraction": "texts images",
    "summarising": "texts",
    "dialogue": "texts audio",
    "grounded": "texts",
    "agent": "records texts",
}
"""Task → the kinds of data that it is done on."""
_MISFIT, _DATA_SHARE = 3.0, 0.4
_ACTIONS: Mapping[str, Action] = {
    **dict.fromkeys(("manufacturing", "energy", "transport", "finance", "agriculture"), Action.INDUSTRY),
    **dict.fromkeys(("healthcare", "education"), Action.WELLBEING),
    **dict.fromkeys(("consumption", "household"), Action.CONSUMPTION),
    "government": Action.GOVERNANCE,
    "science": Action.SCIENCE_TECHNOLOGY,
}
_ASKED: tuple[DemandField, ...] = (
    "problem", "task", "data", "sector", "baseline", "costs.miss", "costs.false_alarm", "horizon",
    "conditions.data_may_leave", "volume",
)  # fmt: skip
_ONE_VALUE: tuple[DemandField, ...] = ("costs.miss", "costs.false_alarm", "conditions.data_may_leave")
"""Of these a text that says two things contradicts itself."""
SUGGESTED: Mapping[DemandField, Sequence[str]] = {
    **{path: CLOSED[path][1] for path in ("sector", "task", "data", "baseline")},
    "conditions.data_may_leave": ("false",),
}
"""Fields → the values that a language model may suggest: that data may leave is for people to say."""
IN_FIGURES: tuple[DemandField, ...] = ("costs.miss", "costs.false_alarm", "horizon", "volume", "response")
"""Fields for which it quotes words only: the figure is read from them."""
_IN_TIME = ("forecasting", "anomaly")
"""Tasks of which the horizon is asked."""
_LONGEST_PROBLEM, _GROUNDS = 600, 3
_ORDER = {path: place for place, path in enumerate(get_args(DemandField))}


@dataclass(frozen=True)
class NearScenario:
    """A confirmed scenario of the base near the demand."""

    sector: str
    task: str
    likeness: float


@dataclass(frozen=True)
class SuggestedValue:
    """What a language model says that a demand says, and the words of the demand that it rests on."""

    path: str
    value: str
    quote: str


@dataclass
class _Scores:
    """What speaks for each value of a field, and where."""

    total: dict[str, float] = field(default_factory=dict)
    grounds: dict[str, list[tuple[float, TextSpan]]] = field(default_factory=lambda: defaultdict(list))

    def ranked(self) -> list[str]:
        """Return the values, those first for which most speaks."""
        return sorted(self.total, key=lambda value: (-self.total[value], value))


def draft_demand(
    said: str, nearest: Sequence[NearScenario] = (), suggested: Iterable[SuggestedValue] = ()
) -> DemandDraft:
    """Return the draft of a demand in words, Chinese or English, without what the base has beside it.

    What a language model has ``suggested`` fills gaps and replaces guesses, as a guess.
    """
    reading = read_demand(said)
    found = {one.path: one for one in _fields(reading, nearest)}
    found |= {one.path: one for one in _stated_fields(reading)}
    for one in _borne_out(reading, suggested):
        before = found.get(one.path)
        if before is None or (before.band == "guess" and before.by != "model" and before.value != one.value):
            found[one.path] = one if before is None else one.model_copy(update={"others": (before.value,)})
            found |= {each.path: each for each in _action(found[one.path])}
    fields = tuple(sorted(found.values(), key=lambda one: _ORDER[one.path]))
    return DemandDraft(
        language=language_of(reading.folded.words),
        length=len(said),
        fields=fields,
        questions=tuple(_questions(found)),
        findings=tuple(_findings(reading, fields)),
    )


def _fields(reading: Reading, nearest: Sequence[NearScenario]) -> Iterator[DraftedField]:
    scores = {name: _scores(reading, name) for name in _MODES}
    yield from _problem(reading)
    sector = _sector(reading, scores["sector"], nearest)
    if sector is not None:
        yield sector
        yield from _action(sector)
    yield from _task_and_data(reading, scores["task"], scores["data"], nearest)
    yield from _baseline(reading, scores["baseline"])
    yield from _amounts(reading)


def _action(sector: DraftedField) -> Iterator[DraftedField]:
    if sector.path == "sector" and sector.value in _ACTIONS:
        band: Band = "guess" if sector.band == "guess" else "likely"
        action = {"path": "action", "value": _ACTIONS[sector.value].value, "band": band, "others": ()}
        yield sector.model_copy(update=action)


def _scores(reading: Reading, name: str) -> _Scores:
    """Return what speaks for each value of a facet: a term said again counts little more, and no place counts twice."""
    scores, by_line = _Scores(), defaultdict[tuple[str, tuple[str, int]], list[float]](list)
    found = [(facet, hit) for read in reading.sentences if not read.after_order for hit, facet in read.facets(name)]
    taken: dict[str, int] = {}
    for facet, hit in sorted(found, key=lambda one: (one[1].start, -one[0].weight)):
        if hit.start >= taken.get(facet.value, 0):
            taken[facet.value] = hit.end
            counted = facet.weight * _MODES[name][hit.mode]
            by_line[facet.value, hit.line].append(counted)
            scores.grounds[facet.value].append((counted, hit))
    for (value, _), counts in by_line.items():
        scores.total[value] = scores.total.get(value, 0.0) + max(counts) * (1 + 0.5 * math.log2(len(counts)))
    return scores


def _problem(reading: Reading) -> Iterator[DraftedField]:
    """Yield the problem: the text where it is short, else the first sentences that wish for something, and others."""
    kept = [read.sentence for read in reading.sentences]
    if not kept:
        return
    whole = TextSpan(kept[0].start, kept[-1].end)
    if whole.end - whole.start <= _LONGEST_PROBLEM and not reading.orders:
        start, end = reading.folded.place(whole)
        yield _read(reading, "problem", reading.folded.text[start:end], "likely", [whole])
        return
    wishes = (read.sentence for read in reading.sentences if _tells(read, "wish"))
    chosen: dict[int, TextSpan] = {}
    room = _LONGEST_PROBLEM
    for one in (*wishes, *kept):
        if one.start not in chosen and one.end - one.start <= room:
            chosen[one.start] = one
            room -= one.end - one.start
    spans = [chosen[start] for start in sorted(chosen)] or [TextSpan(kept[0].start, kept[0].start + _LONGEST_PROBLEM)]
    words = " ".join(reading.folded.text[slice(*reading.folded.place(one))] for one in spans)
    yield _read(reading, "problem", words, "guess", spans[:_GROUNDS])


def _tells(read: SentenceRead, mode: Mode) -> bool:
    """Return whether a sentence says in so many words what is wished for, or done today."""
    return any(facet.value == mode for _, facet in read.facets("mode"))


def _sector(reading: Reading, scores: _Scores, nearest: Sequence[NearScenario]) -> DraftedField | None:
    found = next(_chosen(reading, "sector", scores), None)
    voted = _voted((one.sector, one.likeness) for one in nearest)
    if found is None and voted:
        return DraftedField(path="sector", value=voted[0], band="guess", by="nearest", others=tuple(voted[1:2]))
    if found is None or found.band != "guess" or not voted:
        return found
    if voted[0] in found.others[:1]:
        return _read(reading, "sector", voted[0], "guess", _best(scores, voted[0]), (found.value,), by="nearest")
    return found


def _voted(votes: Iterable[tuple[str, float]]) -> list[str]:
    total = defaultdict[str, float](float)
    for value, weight in votes:
        total[value] += max(weight, 0.0)
    return sorted(filter(total.get, total), key=lambda value: (-total[value], value))


def _task_and_data(
    reading: Reading, tasks: _Scores, kinds: _Scores, nearest: Sequence[NearScenario]
) -> Iterator[DraftedField]:
    """Yield the task and the kind of data that fit each other best."""
    weights = tasks.total
    pairs = [(_fit(weights, kinds.total, task, kind), task, kind) for task in weights for kind in kinds.total or ("",)]
    if not pairs:
        yield from _chosen(reading, "data", kinds)
        return
    pairs.sort(key=lambda one: (-one[0], one[1], one[2]))
    best, task, kind = pairs[0]
    rivals = {name: max(value for value, one, _ in pairs if one == name) for name in weights}
    band = _band(weights[task], best - max((v for name, v in rivals.items() if name != task), default=0.0))
    others = sorted((name for name in rivals if name != task), key=lambda name: (-rivals[name], name))[:2]
    voted = _voted((one.task, one.likeness) for one in nearest)
    if band == "guess" and voted and voted[0] in others[:1]:
        yield _read(reading, "task", voted[0], "guess", _best(tasks, voted[0]), (task,), by="nearest")
    else:
        yield _read(reading, "task", task, band, _best(tasks, task), tuple(others))
    if kind:
        second = max((value for name, value in kinds.total.items() if name != kind), default=0.0)
        fitting = kind in _FITTING[task].split()
        level = _band(kinds.total[kind], kinds.total[kind] - second) if fitting else "guess"
        more = [one for one in kinds.ranked() if one != kind][:2]
        yield _read(reading, "data", kind, level, _best(kinds, kind), tuple(more))


def _fit(tasks: Mapping[str, float], kinds: Mapping[str, float], task: str, kind: str) -> float:
    misfit = _MISFIT if kind and kind not in _FITTING[task].split() else 0.0
    return tasks[task] + _DATA_SHARE * kinds.get(kind, 0.0) - misfit


def _band(strength: float, lead: float) -> Band:
    if strength >= 3 and lead >= 1.5:
        return "sure"
    return "likely" if strength >= 2.5 and lead >= 1 else "guess"


def _chosen(reading: Reading, path: DemandField, scores: _Scores) -> Iterator[DraftedField]:
    ranked = scores.ranked()
    if ranked:
        lead = scores.total[ranked[0]] - (scores.total[ranked[1]] if len(ranked) > 1 else 0.0)
        band = _band(scores.total[ranked[0]], lead)
        yield _read(reading, path, ranked[0], band, _best(scores, ranked[0]), tuple(ranked[1:2]))


def _baseline(reading: Reading, scores: _Scores) -> Iterator[DraftedField]:
    """Yield what is done today; where a sentence tells of today and no more is known, people do it, as a guess."""
    found = list(_chosen(reading, "baseline", scores))
    told = next((read.sentence for read in reading.sentences if _tells(read, "today")), None)
    if not found and told is not None:
        found = [_read(reading, "baseline", "manual", "guess", [told])]
    yield from found


def _best(scores: _Scores, value: str) -> list[TextSpan]:
    strongest = sorted(scores.grounds.get(value, ()), key=lambda one: (-one[0], one[1].start))[:_GROUNDS]
    return sorted((span for _, span in strongest), key=lambda one: one.start)


def _amounts(reading: Reading) -> Iterator[DraftedField]:
    """Yield what is said in figures, the clearest of each field; of a contradiction the stricter limit counts."""
    found = defaultdict[DemandField, list[Amount]](list)
    for one in amounts_in(reading):
        found[one.path].append(one)
    for path, amounts in found.items():
        first = [one for one in amounts if not one.after_order] or [replace(one, band="guess") for one in amounts]
        strict = [one for one in amounts if one.value == "false" and path == "conditions.data_may_leave"]
        best = min(strict or first, key=lambda one: (get_args(Band).index(one.band), one.ground.start))
        others = dict.fromkeys(_spelled(one) for one in amounts if _spelled(one) != _spelled(best))
        grounds = [best.ground, *(one.ground for one in amounts if _spelled(one) != _spelled(best))]
        band: Band = "guess" if others and path in _ONE_VALUE else best.band
        yield _read(reading, path, best.value, band, grounds[:_GROUNDS], tuple(others)[:2], unit=best.unit)


def _spelled(one: Amount | DraftedField) -> str:
    return f"{one.value} {one.unit}" if one.unit else one.value


def _stated_fields(reading: Reading) -> Iterator[DraftedField]:
    """Yield what lines such as ``Sector: healthcare`` say; of several about one field the last counts."""
    for one in reading.stated:
        words = reading.folded.words[one.words.start : one.words.end]
        if one.path == "problem" and words.strip():
            place = reading.folded.place(one.words)
            yield _read(reading, "problem", reading.folded.text[slice(*place)], "sure", [one.words])
        elif one.path in CLOSED:
            value = _value_named(one, words)
            if value is not None:
                yield _read(reading, one.path, value, "sure", [one.words])
        else:
            amount = amount_of(one.path, words, one.words.start)
            if amount is not None:
                yield _read(reading, one.path, amount.value, "sure", [amount.ground], unit=amount.unit)


def words_for_a_model(said: str) -> str:
    """Return what a language model may read of a demand: no orders and what follows them, no personal data."""
    reading = read_demand(said)
    kept = (
        one.sentence for one in reading.sentences if not one.after_order and not IN_WORDS.search(one.sentence.words)
    )
    return "\n".join(reading.folded.text[slice(*reading.folded.place(one))] for one in kept)


def _borne_out(reading: Reading, suggested: Iterable[SuggestedValue]) -> Iterator[DraftedField]:
    """Yield what the text bears out: the quoted words stand in it, and the value is listed, or a figure in them."""
    for one in suggested:
        span = _quoted(reading, one.quote)
        if span is None:
            continue
        listed = next((path for path in SUGGESTED if path == one.path), None)
        if listed is not None and one.value in SUGGESTED[listed]:
            yield _read(reading, listed, one.value, "guess", [span], by="model")
        figure = next((path for path in IN_FIGURES if path == one.path), None)
        words = reading.folded.words[span.start : span.end]
        amount = amount_of(figure, words, span.start) if figure is not None else None
        if amount is not None:
            yield _read(reading, amount.path, amount.value, "guess", [amount.ground], unit=amount.unit, by="model")


def _quoted(reading: Reading, quote: str) -> TextSpan | None:
    """Return where a quote stands within one sentence that may hold values; None: nowhere."""
    words = fold(quote).words.strip()
    readable = [one.sentence for one in reading.sentences if not one.after_order] if len(words) > 1 else []
    places = ((one, one.words.find(words)) for one in readable)
    return next((TextSpan(one.start + at, one.start + at + len(words)) for one, at in places if at >= 0), None)


def _value_named(one: Stated, words: str) -> str | None:
    """Return the value of a closed list whose name, in either language, or code is said."""
    code, values = CLOSED[one.path]
    domain, said = code.partition(".")[0], words.strip().rstrip("。.!")
    for value in values:
        names = (catalogue(domain, language)[f"{code}.{value}"] for language in LANGUAGES)
        if said in (value, *(fold(name).words for name in names)):
            return value
    return None


def _read(  # noqa: PLR0913 - the parts of a field
    reading: Reading,
    path: DemandField,
    value: str,
    band: Band,
    grounds: Iterable[TextSpan],
    others: tuple[str, ...] = (),
    unit: str | None = None,
    by: str = "rule",
) -> DraftedField:
    found = [_ground(reading, one) for one in grounds]
    return DraftedField.model_validate(
        {"path": path, "value": value, "unit": unit, "band": band, "by": by, "grounds": found, "others": others}
    )


def _ground(reading: Reading, span: TextSpan) -> Ground:
    start, end = reading.folded.place(span)
    return Ground(start=start, end=end, said=reading.folded.text[start:end])


def _questions(found: Mapping[DemandField, DraftedField]) -> Iterator[DemandQuestion]:
    task = found.get("task")
    for path in _ASKED:
        if path == "horizon" and (task is None or task.value not in _IN_TIME):
            continue
        one = found.get(path)
        if one is None or (one.band == "guess" and path != "problem"):
            yield DemandQuestion(path=path, asked=text(f"demand.ask.{path}"), guessed=_spelled(one) if one else "")


def _findings(reading: Reading, fields: Iterable[DraftedField]) -> Iterator[DemandFinding]:
    if reading.orders:
        yield DemandFinding(
            what=text("demand.orders"), grounds=tuple(_ground(reading, one) for one in reading.orders[:_GROUNDS])
        )
    for one in fields:
        if one.others and one.path in _ONE_VALUE:
            what = text("demand.contradiction", field=text(f"demand.field.{one.path}"))
            yield DemandFinding(what=what, grounds=one.grounds)
    if reading.folded.disguised:
        yield DemandFinding(what=text("demand.disguised", number=len(reading.folded.disguised)))
    personal = list(IN_WORDS.finditer(reading.folded.words))
    if personal:
        grounds = tuple(_ground(reading, TextSpan(*one.span())) for one in personal[:_GROUNDS])
        yield DemandFinding(what=text("demand.personal", number=len(personal)), grounds=grounds)
