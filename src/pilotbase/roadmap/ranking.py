"""Scenarios ranked by potential, maturity and driving effect, which to take up next, and how little reorders them.

The owner states all three; maturity is what the records leave of it, or add to it. The driving effect that shared needs
show stands beside the stated one, and reviewers' scores of the potential beside the owner's; whoever ranks chooses
which ones count.

A score is linear in the weights, so what flips is exact. Scenarios of the same worth tie under all weights: they stand
on one rung. A *shift* moves a share of the whole weight from one criterion to others; the smallest shift that lets the
lower of two rungs pass the higher takes weight where the higher is furthest ahead and gives it where it is furthest
behind. Criteria: 潜力、成熟度、带动作用, as the National Development and Reform Commission asks scenarios to be chosen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from pilotbase.catalogue.records import everything
from pilotbase.catalogue.wording import Address, listed
from pilotbase.documents.api.ledger import DrivenTold, DrivingTold, FlipTold, PotentialRanked, RankingTold, RungTold
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError
from pilotbase.documents.planning import MOST_WEIGHT
from pilotbase.documents.roadmap import Driving, JudgedPotential, PotentialBy, TaskState, judged_potential_head
from pilotbase.documents.states import ScenarioState
from pilotbase.documents.subjects import holder_of, name_of
from pilotbase.documents.texts import Text, text
from pilotbase.operations.ledger import MOST_TOP, RankingAsked
from pilotbase.roadmap.driving import DrivenScenario, DrivingGraph, grade_of, left_to_gain, needs_of, shares_in_top
from pilotbase.roadmap.ledger import keep_books, owner_of
from pilotbase.roadmap.planning import sheet_of, shown_maturity, task_states
from pilotbase.workspace.journeys import Worth, rated_scenarios, scenario_contents
from pilotbase.workspace.listings import Listing, Page, find_listings
from pilotbase.workspace.store import View

STATES = (ScenarioState.REVIEW, ScenarioState.OPEN)
"""States of a scenario that may be chosen."""
MOST_FLIPS = 50
CRITERIA = ("potential", "maturity", "driving_effect")
"""Names: text ``criterion_of_worth.<value>``."""


def rank_scenarios(
    view: View,
    weights: CriterionWeights,
    top: int,
    within: Fraction,
    driving: Driving = "stated",
    potential_by: PotentialBy = "stated",
) -> Ranking:
    """Return the ranking of the scenarios that ``view`` may choose from; raises as `owner_of`."""
    choice = _choice(view)
    shown = choice.shown(driving, potential_by)
    counts = Counter(shown.values())
    ranking = rank(counts, weights, max(1, min(top, MOST_TOP)), within)
    order = {rung.worth: place for place, rung in enumerate(ranking.rungs)}
    places = {scenario: order[worth] for scenario, worth in shown.items() if worth is not None}
    chosen = sorted(places, key=places.__getitem__)[: ranking.top]
    driven = tuple(choice.driving(one) for one in chosen)
    scored = tuple(_scored(choice, one, shown, counts, weights) for one in chosen if one in choice.grades)
    return replace(ranking, by_records=choice.moved, chosen=tuple(chosen), driving=driven, potentials=scored)


def rank_as_asked(view: View, asked: RankingAsked, address: Address) -> RankingTold:
    """Return the ranking by the weights that are asked for; raises as `owner_of` and `CriterionWeights`."""
    weights = CriterionWeights(asked.potential, asked.maturity, asked.driving_effect)
    found = rank_scenarios(view, weights, asked.top, Fraction(asked.within, 100), asked.driving, asked.potential_by)
    return tell_ranking(view, found, address)


def scenarios_of(
    view: View,
    worth: Worth,
    after: str | None = None,
    limit: int = 50,
    driving: Driving = "stated",
    potential_by: PotentialBy = "stated",
) -> Page:
    """Return the scenarios on the rung of ``worth``, newest first.

    Raises:
        NotFoundError: as `owner_of`.
        InputError: ``after`` is not among them.
    """
    there = [scenario for scenario, shown in _choice(view).shown(driving, potential_by).items() if shown == worth]
    if after is not None and after not in there:
        raise InputError("workspace.no_such_page", after=after)
    begin = there.index(after) + 1 if after is not None else 0
    listed = find_listings(view, there[begin : begin + limit])
    items = tuple(listed[one] for one in there[begin : begin + limit])
    return Page(items, items[-1].subject if len(there) > begin + limit else None)


@dataclass(frozen=True)
class DrivingFound:
    """The driving effect of a scenario, as stated and as shared needs show it."""

    scenario: str
    stated: int
    shown: int
    effect: float
    largest: tuple[DrivenScenario, ...]


@dataclass(frozen=True)
class _Choice:
    """The scenarios that may be chosen, newest first, with what they are worth, and the graph of what all share."""

    stated: Mapping[str, Worth | None]
    matured: Mapping[str, Worth | None]
    """With the maturity that records show."""
    graph: DrivingGraph
    grades: Mapping[str, tuple[int, ...]]
    """Scenario → its lowest, median and highest score, where reviewers' scores are opened."""

    @property
    def moved(self) -> int:
        return sum(self.matured[scenario] != worth for scenario, worth in self.stated.items())

    def shown(self, driving: Driving, potential_by: PotentialBy) -> dict[str, Worth | None]:
        """Return each scenario with its worth as it counts."""
        worths = dict(self.matured)
        if driving == "shown":
            effects = self.graph.effects
            worths = {
                one: worth and replace(worth, driving_effect=grade_of(effects[one])) for one, worth in worths.items()
            }
        if potential_by == "reviewed":
            medians = {one: median for one, (_, median, _) in self.grades.items()}
            worths |= {
                one: worth and replace(worth, potential=medians[one]) for one, worth in worths.items() if one in medians
            }
        return worths

    def driving(self, scenario: str) -> DrivingFound:
        """Return the driving effect of a scenario whose worth is stated."""
        stated, effect = self.stated[scenario], self.graph.effects[scenario]
        assert stated is not None
        largest = tuple(self.graph.largest(scenario))
        return DrivingFound(scenario, stated.driving_effect, grade_of(effect), effect, largest)


def _scored(
    choice: _Choice,
    scenario: str,
    shown: Mapping[str, Worth | None],
    counts: Mapping[Worth | None, int],
    weights: CriterionWeights,
) -> PotentialRanked:
    """Return the potential of a ranked scenario that reviewers have scored."""
    stated, worth, (lowest, median, highest) = choice.stated[scenario], shown[scenario], choice.grades[scenario]
    assert stated is not None
    assert worth is not None
    others = Counter(counts)
    others[worth] -= 1
    best, worst = (_place_of(replace(worth, potential=one), others, weights) for one in (highest, lowest))
    return PotentialRanked(
        scenario=scenario,
        stated=stated.potential,
        lowest=lowest,
        median=median,
        highest=highest,
        best=best,
        worst=worst,
    )


def _place_of(worth: Worth, others: Mapping[Worth | None, int], weights: CriterionWeights) -> int:
    score = _score(worth, weights)
    return 1 + sum(number for other, number in others.items() if other is not None and _score(other, weights) > score)


def _choice(view: View) -> _Choice:
    """Return what ``view`` may choose from, within the graph of all that it sees; raises as `owner_of`."""
    owner = owner_of(view.actor)
    keep_books(view)
    rated = rated_scenarios(view, STATES)
    states = task_states(view, [one.subject for one in rated])
    matured = {one.subject: _matured(one.worth, states[one.subject]) for one in rated}
    gains = {scenario: left_to_gain(worth.potential, worth.maturity) for scenario, worth in matured.items() if worth}
    graph = driving_graph(view, gains)
    own = [one for one in rated if owner in ("", holder_of(one.subject)) and one.subject in graph.needs]
    return _Choice(
        {one.subject: one.worth for one in own},
        {one.subject: matured[one.subject] for one in own},
        graph,
        _grades(everything(view), [one.subject for one in own]),
    )


def _grades(base: View, scenarios: Sequence[str]) -> dict[str, tuple[int, ...]]:
    heads = {judged_potential_head(one): one for one in scenarios}
    return {heads[head]: stored.load(JudgedPotential).grades for head, stored in base.named([*heads]).items()}


def driving_graph(view: View, gains: Mapping[str, float]) -> DrivingGraph:
    """Return the graph of the scenarios that may be chosen and that ``view`` sees; ``gains`` as in `left_to_gain`."""
    uses = {one.scenario: one.uses for one in sheet_of(everything(view)).candidates}
    needs = {
        scenario: needs_of(json.loads(content)) | {f"component:{name}" for name in uses.get(scenario, ())}
        for scenario, content in scenario_contents(view, STATES).items()
    }
    return DrivingGraph(needs, gains)


def _matured(stated: Worth | None, state: TaskState) -> Worth | None:
    return stated and replace(stated, maturity=shown_maturity(stated.maturity, state))


def tell_ranking(view: View, found: Ranking, address: Address = lambda _: "") -> RankingTold:
    """Return a ranking with the scenarios of its top."""
    driven = (part.scenario for one in found.driving for part in one.largest)
    there = find_listings(view, {*found.chosen, *driven})
    flips = [
        filled(FlipTold, one, above=_values(one.above), below=_values(one.below), moved=moves(one, found.weights))
        for one in found.flips[:MOST_FLIPS]
    ]
    return filled(
        RankingTold,
        found,
        weights=found.weights.parts,
        rungs=[filled(RungTold, one, one.worth) for one in found.rungs],
        scenarios=[listed(there[one], address) for one in found.chosen],
        driving=[_tell_driving(one, there) for one in found.driving],
        potentials=list(found.potentials),
        flips=flips,
    )


def _tell_driving(found: DrivingFound, there: Mapping[str, Listing]) -> DrivingTold:
    largest = [
        filled(
            DrivenTold,
            one,
            title=there[one.scenario].title if one.scenario in there else name_of(one.scenario),
            shared=[_need(thing) for thing in one.shared],
        )
        for one in found.largest
    ]
    return filled(DrivingTold, found, largest=largest)


def _need(thing: str) -> Text:
    """Return something that scenarios share in words."""
    kind, _, name = thing.partition(":")
    if kind == "capability":
        sector, _, task = name.partition("/")
        return text(
            "roadmap.need.capability", sector=Text(code=f"sector.{sector}"), task=Text(code=f"match.task.{task}")
        )
    return text(f"roadmap.need.{kind}", name=name)


@dataclass(frozen=True)
class CriterionWeights:
    """How much each criterion counts, in parts of their sum; whole numbers up to `MOST_WEIGHT`."""

    potential: int = 1
    maturity: int = 1
    driving_effect: int = 1

    def __post_init__(self) -> None:
        if any(not 0 <= weight <= MOST_WEIGHT for weight in self.parts) or not any(self.parts):
            raise InputError("roadmap.weights", found=" ".join(map(str, self.parts)), most=MOST_WEIGHT)

    @property
    def parts(self) -> tuple[int, int, int]:
        return (self.potential, self.maturity, self.driving_effect)

    @property
    def shares(self) -> tuple[Fraction, ...]:
        """Return the weights as shares of one."""
        return tuple(Fraction(part, sum(self.parts)) for part in self.parts)


@dataclass(frozen=True)
class Rung:
    """Scenarios of one worth, and where they stand."""

    worth: Worth
    scenarios: int
    score: Fraction
    """Weighted mean, 1 to 5."""
    rank: int
    """One more than the number of scenarios with a higher score; rungs of the same score share it."""
    passed_after: Fraction | None
    """Smallest shift after which a lower rung passes it, 0 where it ties with one; None: no weights do that."""
    crosses_after: Fraction | None
    """Smallest shift after which it leaves the top, or comes into it; None: no weights do that."""
    in_top: float
    """Share of all weights under which it is in the top."""


@dataclass(frozen=True)
class Flip:
    """Two rungs that change places once ``shift`` of the whole weight has moved."""

    above: Worth
    below: Worth
    shift: Fraction


@dataclass(frozen=True)
class Ranking:
    """Rungs from the top, what is left out for want of a worth, and what flips within a shift."""

    weights: CriterionWeights
    rungs: tuple[Rung, ...]
    unrated: int
    """Scenarios of which nobody has said what they are worth: they have no rank."""
    top: int
    within: Fraction
    flips: tuple[Flip, ...]
    """Every pair that changes places within ``within``, the nearest first."""
    by_records: int = 0
    """Scenarios whose records say another maturity than their owner stated."""
    chosen: tuple[str, ...] = ()
    """Scenarios from the top, as many as it holds: of one rung the newest first."""
    driving: tuple[DrivingFound, ...] = ()
    """Of the same scenarios."""
    potentials: tuple[PotentialRanked, ...] = ()
    """Of those of them that reviewers have scored."""

    @property
    def top_holds_for(self) -> Fraction | None:
        """Return the smallest shift that changes who is in the top; None: no weights do."""
        return min((rung.crosses_after for rung in self.rungs if rung.crosses_after is not None), default=None)


def rank(
    counts: Mapping[Worth | None, int], weights: CriterionWeights, top: int = 10, within: Fraction = Fraction(1, 10)
) -> Ranking:
    """Return the ranking of ``counts`` (worth → how many scenarios) under ``weights``; the same for the same input."""
    worths = sorted((worth for worth in counts if worth is not None), key=lambda worth: _order(worth, weights))
    places = dict(zip(worths, _places([(_score(worth, weights), counts[worth]) for worth in worths]), strict=True))
    flips = [flip for above, below in combinations(worths, 2) if (flip := smallest_flip(above, below, weights))]
    passed = _least((flip.above, flip.shift) for flip in flips)
    over_the_edge = [flip for flip in flips if places[flip.above] <= top < places[flip.below]]
    crosses = _least((worth, flip.shift) for flip in over_the_edge for worth in (flip.above, flip.below))
    in_top = shares_in_top([_values(worth) for worth in worths], [counts[worth] for worth in worths], top)
    rungs = tuple(
        Rung(worth, counts[worth], _score(worth, weights), places[worth], passed.get(worth), crosses.get(worth), share)
        for worth, share in zip(worths, in_top, strict=True)
    )
    near = sorted((flip for flip in flips if flip.shift <= within), key=lambda flip: flip.shift)
    return Ranking(weights, rungs, counts.get(None, 0), top, within, tuple(near))


def smallest_flip(above: Worth, below: Worth, weights: CriterionWeights) -> Flip | None:
    """Return the smallest change of ``weights`` at which ``below`` comes up to ``above`` and beyond which it passes.

    None: ``above`` is behind in no criterion, so it is never passed.
    """
    ahead, parts = _ahead(above, below), weights.parts
    least, moved = min(ahead), 0
    if least >= 0:
        return None
    lead = sum(part * by for part, by in zip(parts, ahead, strict=True))
    for by, part in sorted(zip(ahead, parts, strict=True), reverse=True):
        gain = by - least
        if lead <= part * gain:
            return Flip(above, below, Fraction(moved * gain + lead, gain * sum(parts)) if gain else Fraction())
        lead, moved = lead - part * gain, moved + part
    return None


def moves(flip: Flip, weights: CriterionWeights) -> tuple[Fraction, ...]:
    """Return what each criterion gains or loses at ``flip``, in shares of the whole weight."""
    ahead, left = _ahead(flip.above, flip.below), flip.shift
    moved = [Fraction()] * len(ahead)
    for donor in sorted(range(len(ahead)), key=lambda place: (-ahead[place], -weights.parts[place])):
        moved[donor] = -min(weights.shares[donor], left)
        left += moved[donor]
    receiver = min(range(len(ahead)), key=ahead.__getitem__)
    moved[receiver] += flip.shift
    return tuple(moved)


def _ahead(above: Worth, below: Worth) -> tuple[int, ...]:
    return tuple(higher - lower for higher, lower in zip(_values(above), _values(below), strict=True))


def _values(worth: Worth) -> tuple[int, ...]:
    return (worth.potential, worth.maturity, worth.driving_effect)


def _score(worth: Worth, weights: CriterionWeights) -> Fraction:
    points = sum(part * value for part, value in zip(weights.parts, _values(worth), strict=True))
    return Fraction(points, sum(weights.parts))


def _order(worth: Worth, weights: CriterionWeights) -> tuple[Fraction, ...]:
    """Return what sorts from the top; where scores tie, the higher potential stands first, and so on."""
    return (-_score(worth, weights), *(Fraction(-value) for value in _values(worth)))


def _places(rungs: Sequence[tuple[Fraction, int]]) -> Iterator[int]:
    """Yield the rank of each (score, scenarios), which come from the top."""
    above = place = 0
    before: Fraction | None = None
    for score, scenarios in rungs:
        if score != before:
            place, before = above + 1, score
        yield place
        above += scenarios


def _least(found: Iterable[tuple[Worth, Fraction]]) -> dict[Worth, Fraction]:
    least: dict[Worth, Fraction] = {}
    for worth, shift in found:
        least[worth] = min(shift, least.get(worth, shift))
    return least
