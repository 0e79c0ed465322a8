"""The reader of texts: embeds the words of demands, applications and capabilities, so that no page has to.

It follows the change feed, one place a model: with another model it reads everything again. A text that has not changed
is not read twice. Without the extra ``semantic`` nothing is read, and matches compare characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from pilotbase.documents.capability import Capability
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.record import Record
from pilotbase.documents.subjects import kind_of
from pilotbase.matching.finding import needs_of, offers_of
from pilotbase.matching.index import KIND_OF, digest_of_text
from pilotbase.matching.meaning import Model, model_or_reason
from pilotbase.matching.pairs import ApplicationOffer, Need
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import Pace, in_rounds
from pilotbase.workspace.listings import find_listings
from pilotbase.workspace.meanings import Meaning, keep, known_texts
from pilotbase.workspace.store import View, position

PACE = Pace(idle=0.5, rest=5.0)
_CHANGES = 50
_READ: dict[str, type[Record | Capability]] = {"record": Record, "capability": Capability}


@dataclass(frozen=True)
class TextReader:
    """Reads what has been saved. Several workers may each run one: the first to be done with a stretch keeps it."""

    base: Base

    def round(self) -> bool:
        """Read the texts of the next changes; return whether the feed goes on."""
        model, view = model_or_reason(), self.base.lab.view
        if not isinstance(model, Model):
            return False
        reader = f"meanings {hex_of(model.digest)[:16]}"
        with view.reading() as connection:
            since = position(connection, reader)
        changes = view.changes(since or 0, _CHANGES, ("record", "capability"))
        if not changes:
            return False
        moved = (one for one in changes if one.event == "moved")
        subjects = {
            subject for one in moved if kind_of(subject := view.load(one.digest, _READ[one.kind]).subject) in KIND_OF
        }
        keep(view, reader, model.digest, since, changes[-1].sequence, list(_read(view, model, sorted(subjects))))
        return True


def reading_texts(base: Base) -> AbstractContextManager[None]:
    """Run rounds in a thread until the end of the block."""
    return in_rounds("meanings", TextReader(base).round, PACE)


def _read(view: View, model: Model, subjects: Sequence[str]) -> Iterator[Meaning]:
    """Yield the meaning of each text of the subjects that ``model`` has not read."""
    with view.reading() as connection:
        known = known_texts(connection, subjects, model.digest)
    for one in _saved(view, subjects):
        own = one.passages[0]
        for language, said in own.texts.items():
            digest = digest_of_text(said)
            if known.get((one.subject, language)) != digest:
                vector = model.embed(own.kind, said).astype(np.float16).tobytes()
                yield Meaning(one.subject, language, digest, vector)


def _saved(view: View, subjects: Sequence[str]) -> list[Need | ApplicationOffer]:
    listed = list(find_listings(view, subjects).values())
    needs = [one for one in listed if KIND_OF[one.kind] == "demand"]
    return [*needs_of(view, needs), *offers_of(view, [one for one in listed if KIND_OF[one.kind] == "offer"])]
