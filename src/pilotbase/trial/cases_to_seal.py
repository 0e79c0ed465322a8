"""The cases of a scenario before they are sealed: those of the owner's table, or episodes drawn from a world.

Hidden episodes are drawn at random from all templates, practice ones of public templates from published seeds, which
anybody can derive. Hidden seeds are 32 random bytes each, kept as cells of the hidden rows: so hidden episodes are
independent draws of the frozen world, and one that was opened says nothing about the others.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pilotbase.data.column_types import classes_of
from pilotbase.data.splits import Split, split_cases
from pilotbase.documents.hashes import Digest, digest_file
from pilotbase.documents.report import BlindFindings
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.world import CLEAN, EPISODE_FIELDS, World, WorldUse, episode_name
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.trial.arena.gates import require_sound
from pilotbase.trial.arena.references import judge_references, require_arms
from pilotbase.trial.arena.shelf import WorldShelf, shelf_of
from pilotbase.trial.blind_baselines.judging import judge_blind
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.scenario_folder import data_file

Read = Callable[[Scenario, Path], pl.DataFrame]
Drawn = tuple[str, str, str]
"""Template, language, seed."""


@dataclass(frozen=True)
class CasesToSeal:
    """All cases of a scenario, which of them are hidden, and their classes."""

    frame: pl.DataFrame
    split: Split
    classes: tuple[str, ...]
    judge: Callable[[], BlindFindings | None]
    """Returns what programs score that know nothing of a case."""


def source_of(lab: TrialRuntime, scenario: Scenario, folder: Path) -> Digest:
    """Return the digest of the owner's file, or of the scenario's world, which is kept."""
    if scenario.world is not None:
        return shelf_of(lab).take(scenario.world, folder).digest
    return digest_file(data_file(scenario, folder))


def cases_to_seal(lab: TrialRuntime, scenario: Scenario, folder: Path, source: Digest, read: Read) -> CasesToSeal:
    """Return the cases of a scenario with that source: read from the table, or drawn now, by chance.

    Raises `InputError` as ``read``, `split_cases`, `require_arms` and `require_sound`.
    """
    if scenario.world is not None:
        shelf = shelf_of(lab)
        if scenario.world.folder is not None:  # the worlds of this version passed every gate before its release
            require_sound(lab, shelf.kept(source))
        return draw_cases(shelf, scenario, source)
    frame = read(scenario, folder)
    split = split_cases(frame, scenario)
    classes = classes_of(split.public, scenario)
    return CasesToSeal(frame, split, classes, lambda: judge_blind(scenario, classes, split.public, split.hidden))


def draw_cases(shelf: WorldShelf, scenario: Scenario, world: Digest) -> CasesToSeal:
    """Return episodes of a world that ``shelf`` keeps, drawn now; raises `InputError` as `require_arms`."""
    assert scenario.world is not None
    kept = shelf.kept(world)
    require_arms(scenario, kept.world)
    split = draw_episodes(kept.world, world, scenario.world)

    def judge() -> BlindFindings | None:
        settings = BoxSettings(level=scenario.trial.isolation, logs=LogPolicy.FULL)
        with shelf.open(world, settings) as box:
            return judge_references(scenario, box, split.hidden)

    return CasesToSeal(pl.concat([split.public, split.hidden]), split, kept.world.classes, judge)


def draw_episodes(world: World, digest: Digest, use: WorldUse) -> Split:
    """Return the table of episodes of a world with that digest: practice ones are public, the others hidden."""
    hidden = (
        (secrets.choice(world.templates.hidden), secrets.choice(world.languages), secrets.token_hex(32))
        for _ in range(use.hidden)
    )
    return Split(public=_table(_practice(world, digest, use.practice)), hidden=_table(hidden))


def practice_seed(digest: Digest, number: int) -> str:
    """Return the published seed, hex, of the practice episode of that number."""
    key = hashlib.sha256(f"pilotbase practice\x00{digest}".encode()).digest()
    return hmac.digest(key, number.to_bytes(8, "big"), "sha256").hex()


def _practice(world: World, digest: Digest, count: int) -> Iterable[Drawn]:
    """Yield practice episodes, the public templates in turn, each in every language."""
    templates, languages = world.templates.public, world.languages
    for number in range(count):
        language = languages[number // len(templates) % len(languages)]
        yield templates[number % len(templates)], language, practice_seed(digest, number)


def _table(drawn: Iterable[Drawn]) -> pl.DataFrame:
    rows = [(episode_name(*one), one[0], one[1], CLEAN, one[2]) for one in drawn]
    return pl.DataFrame(rows, schema={field.name: pl.String for field in EPISODE_FIELDS}, orient="row")
