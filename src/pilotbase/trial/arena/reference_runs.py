"""What the references score: idle and random play the hidden episodes as blind baselines; the oracle must win them all.

A world in which the oracle loses can't be won by anybody; one in which a player that does nothing meets the criteria
proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.report import BlindFindings
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.texts import text
from pilotbase.documents.transcript import DONE, end_of
from pilotbase.documents.world import CLEAN, LANGUAGE, SEED, TEMPLATE, DecisionRight, World, episode_name
from pilotbase.trial.arena.playing import EpisodeKey, Player
from pilotbase.trial.arena.references import Guesser, Idle
from pilotbase.trial.arena.world_box import BoxedOracle, WorldBox
from pilotbase.trial.blind_baselines.judging import judge_outputs
from pilotbase.trial.blind_baselines.program import ProgramOutput
from pilotbase.trial.scenario_folder import MANIFEST
from pilotbase.trial.scoring import perturbations_of

Transcripts = NDArray[Any]
MOST_PLAYED = 500
"""Hidden episodes that the references play in each arm when a scenario is sealed."""
BLIND: Mapping[str, Callable[[EpisodeKey], Player]] = MappingProxyType(
    {"idle": lambda _: Idle(), "random": lambda key: Guesser(key.name)}
)
"""Players that read no task, by name: text ``world.player.<name>``."""


def judge_references(scenario: Scenario, box: WorldBox, hidden: pl.DataFrame) -> BlindFindings | None:
    """Return what players that read no task score on ``hidden`` episodes; None if there are no criteria yet.

    Raises:
        InputError: ``world.oracle_loses``: not every episode can be won, in some arm that the criteria name.
    """
    arms, played = _arms(scenario), hidden.head(MOST_PLAYED)
    for arm in (CLEAN, *arms):
        _require_won(box.kept.world, play_all(box, played, arm, lambda _: BoxedOracle(box)), arm)
    if not scenario.criteria:
        return None
    return judge_outputs(scenario, box.kept.world.classes, played, _outputs(box, played, arms))


def require_arms(scenario: Scenario, world: World) -> None:
    """Return if the world has every arm that the criteria name; raises `InputError`."""
    known = [arm.value for arm in world.arms]
    issues = [
        Issue(file=MANIFEST, path=f"criteria[{index}].rule", problem=text("world.no_such_arm", found=rule.under.name))
        for index, rule in enumerate(criterion.parsed() for criterion in scenario.criteria)
        if rule.under is not None and rule.under.name not in known
    ]
    if issues:
        raise InputError.from_issues(MANIFEST, issues)


def play_all(box: WorldBox, episodes: pl.DataFrame, arm: str, player: Callable[[EpisodeKey], Player]) -> Transcripts:
    """Return the transcript of each episode played in ``arm`` by a new player, shape (rows,)."""
    found = np.empty(episodes.height, dtype=object)
    for row, one in enumerate(episodes.iter_rows(named=True)):
        name = episode_name(one[TEMPLATE], one[LANGUAGE], one[SEED])
        key = EpisodeKey(name, one[TEMPLATE], one[LANGUAGE], arm, one[SEED])
        found[row] = box.play(key, player(key))
    return found


def _arms(scenario: Scenario) -> Sequence[str]:
    return [under.name for under in perturbations_of(scenario.criteria)]


def _outputs(box: WorldBox, episodes: pl.DataFrame, arms: Sequence[str]) -> Iterator[ProgramOutput]:
    for name, player in BLIND.items():
        perturbed = {arm: play_all(box, episodes, arm, player) for arm in arms}
        yield ProgramOutput(text(f"world.player.{name}"), play_all(box, episodes, CLEAN, player), perturbed)


def _require_won(world: World, transcripts: Transcripts, arm: str) -> None:
    lost = sum(not _is_won(end_of(transcript)) for transcript in transcripts.tolist())
    if lost:
        raise InputError("world.oracle_loses", world=world.name, arm=arm, lost=lost, played=len(transcripts))


def _is_won(end: Mapping[str, Any] | None) -> bool:
    if end is None or end["end"] != DONE:
        return False
    harmed = end["outcomes"].get("attacked") or end["tried"].get(DecisionRight.FORBIDDEN.value)
    return bool(end["outcomes"].get("reached")) and not harmed
