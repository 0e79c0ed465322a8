"""Episodes derived again from seeds and acts, without the application, its supplier, or a base.

Every transcript is played once more: its acts are fed to the world, and every ruling of the fence, every result, the
user's words, the final state and every outcome must come out with the same bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.transcript import Line, read_transcript
from pilotbase.documents.world import CLEAN, LANGUAGE, SEED, TEMPLATE, episode_name
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.trial.arena.kept_worlds import read_world
from pilotbase.trial.arena.playing import EpisodeKey
from pilotbase.trial.arena.references import RecordedPlayer
from pilotbase.trial.arena.world_box import WorldBox
from pilotbase.trial.records import ARM as UNDER
from pilotbase.trial.records import GIVEN, CaseRecords

Column = NDArray[Any]


def replay_in(folder: Path, wanted: Digest, records: CaseRecords) -> int:
    """Return how many episodes of ``records`` the world in ``folder`` derives again, in a box of its own.

    Raises:
        InvalidProofError: it is not the ``wanted`` world; and as `replay_episodes`.
    """
    kept = read_world(folder)
    if kept.digest != wanted:
        raise InvalidProofError("trial.replay_other_world", folder=folder, digest=wanted)
    with tempfile.TemporaryDirectory() as cache, WorldBox(kept, Path(cache), BoxSettings(logs=LogPolicy.FULL)) as box:
        return replay_episodes(records, box)


def replay_episodes(records: CaseRecords, box: WorldBox) -> int:
    """Return how many episodes of ``records``, in every arm, the world in ``box`` derives again.

    Raises:
        InvalidProofError: a transcript was altered, is of another episode, or the world gives something else.
    """
    count = 0
    for arm, transcripts in _arms(records):
        for row, transcript in enumerate(transcripts.tolist()):
            if transcript is not None:
                _replay(records, box, (row, arm), transcript)
                count += 1
    return count


def _arms(records: CaseRecords) -> Iterator[tuple[str, Column]]:
    yield CLEAN, records.answers
    if "baseline" in records.columns:
        yield CLEAN, records.columns["baseline"]
    for name, transcripts in records.columns.items():
        if name.startswith(UNDER):
            yield name.removeprefix(UNDER), transcripts


def _replay(records: CaseRecords, box: WorldBox, place: tuple[int, str], transcript: str) -> None:
    row, arm = place
    told: Mapping[str, Any] = {"case": int(records.cases[row]), "arm": arm}
    template, language, seed = (str(records.columns[f"{GIVEN}{name}"][row]) for name in (TEMPLATE, LANGUAGE, SEED))
    name = episode_name(template, language, seed)
    lines = read_transcript(transcript)
    if name != records.truth[row] or lines[0].get("episode") != name:
        raise InvalidProofError("trial.replay_other_episode", **told)
    again = box.play(EpisodeKey(name, template, language, arm, seed), RecordedPlayer(lines))
    if again != transcript:
        raise InvalidProofError("trial.replay_episode", **told, line=_first_other(lines, read_transcript(again)))


def _first_other(kept: tuple[Line, ...], derived: tuple[Line, ...]) -> int:
    pairs = enumerate(zip_longest(kept, derived), start=1)
    return next((number for number, (one, other) in pairs if one != other), len(kept))
