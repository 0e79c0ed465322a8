"""The table of a scenario's cases: its columns, what of it applications see, and which cases stay hidden."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pydantic

from pilotbase.documents.base import Part, Step, needed_for
from pilotbase.documents.contract import Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quality import LabelStatement
from pilotbase.documents.subjects import Subject
from pilotbase.documents.world import EPISODE, EPISODE_FIELDS

OWNER_ONLY = "owner-only"
"""The licence of cases that the owner gives to nobody but those whom they name."""
Label = Annotated[str, pydantic.BeforeValidator(lambda value: _format_label(value))]
"""A class label; YAML booleans and integers are converted to text."""


class HashSplit(Part):
    """A random split: a case is hidden when the keyed hash of its row (or of ``by``) falls below ``hidden``."""

    method: Literal["hash"] = "hash"
    hidden: float = pydantic.Field(default=0.5, gt=0, lt=1)
    by: str | None = None
    """Column whose equal values stay on the same side, such as a patient or a machine."""


class GroupSplit(Part):
    """Whole groups are hidden: claims cover only these groups."""

    method: Literal["group"] = "group"
    column: str
    hidden: tuple[Label, ...] = pydantic.Field(min_length=1)


class TimeSplit(Part):
    """Everything from a point in time on is hidden: claims cover only that period."""

    method: Literal["time"] = "time"
    column: str
    hidden_from: str


Split = Annotated[HashSplit | GroupSplit | TimeSplit, pydantic.Field(discriminator="method")]


class ColumnReader(Part):
    """How the cells of one column are read: what a fix changes without touching the file. Remove it to undo that."""

    column: str
    missing: tuple[str, ...] | None = None
    """Values that mean a missing one in this column alone, such as -999."""
    units: dict[str, Annotated[float, pydantic.Field(gt=0)]] | None = None
    """Unit after the number in a cell → how many of the field's ``unit`` it is; a bare number is in the field's."""
    spellings: dict[str, str] | None = None
    """Spelling in the file → the one that counts."""
    empty: str | None = None
    """What an empty cell means, such as ``none``."""

    @pydantic.model_validator(mode="after")
    def _reads_once(self) -> Self:
        for found, meant in (self.spellings or {}).items():
            if (self.spellings or {}).get(meant, meant) != meant:
                raise InputError("scenario.chained_spelling", found=found, meant=meant)
        return self


class ScenarioData(Part):
    """Where the cases are, what their columns mean, and which cases stay hidden."""

    file: str
    """Relative to the scenario's folder: .csv, .parquet or .xlsx. Needed only until the scenario is sealed."""
    copied_from: Digest | None = None
    """Digest of the owner's file, if ``file`` is the copy that a draft wrote in a format everyone reads alike."""
    dataset: Subject | None = None
    """The dataset the cases come from: each supplier then needs an agreement with its owner before a trial."""
    nature: Literal["measured", "simulated"] = "measured"
    licence: str | None = needed_for(Step.FREEZE)
    source: str | None = None
    fields: tuple[Field, ...] = pydantic.Field(min_length=2, max_length=5000)
    target: str
    classes: tuple[Label, ...] | None = None
    """Labels of the target that are classes even if no case of the public sample has them; those that it has are."""
    key: str | None = None
    """Column that names a case; never shown to an application."""
    withheld: tuple[str, ...] = ()
    """Columns that applications must not see (known only afterwards, or personal)."""
    split: Split = pydantic.Field(default_factory=HashSplit)
    missing: tuple[str, ...] = ("",)
    """Spellings of a missing value in the file."""
    readers: tuple[ColumnReader, ...] | None = None
    repeated_rows: Literal["first"] | None = None
    """Of rows alike in every field but the key only the first counts; when not set, each does."""
    cases_need: tuple[str, ...] | None = None
    """Columns without which a row is no case: rows in which one is empty are left out."""
    labels: LabelStatement | None = None
    """Quality of the target's labels, as printed by `pilotbase data labels agreement`; not stated when not set."""


EPISODES = ScenarioData(
    file="world", nature="simulated", licence="CC0-1.0", fields=EPISODE_FIELDS, target=EPISODE, withheld=()
)
"""The table of a scenario with a world: a row an episode, drawn by the base."""


def _format_label(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value
