"""Drawing episodes: hidden ones at random from all templates, practice ones of public templates from published seeds.

Hidden seeds are 32 random bytes each, kept as cells of the hidden rows: so hidden episodes are independent draws of the
frozen world, and one that was opened says nothing about the others. Anybody can derive the practice seeds.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

import polars as pl

from pilotbase.data.splits import Split
from pilotbase.documents.hashes import Digest
from pilotbase.documents.world import CLEAN, EPISODE_FIELDS, World, WorldUse, episode_name

Drawn = tuple[str, str, str]
"""Template, language, seed."""


def draw_episodes(world: World, digest: Digest, use: WorldUse) -> Split:
    """Return the table of episodes of a world with that digest: practice ones are public, the others hidden."""
    hidden = (
        (secrets.choice(world.templates.every), secrets.choice(world.languages), secrets.token_hex(32))
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
