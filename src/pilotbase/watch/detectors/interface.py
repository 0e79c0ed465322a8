"""The contract of every detector: rows in their order go in, changes of colour come out.

A detector is made from its design and, to go on where another stopped, from that one's state. It reads every row once,
holds a fixed number of numbers, and says the same, byte for byte, however the rows are cut into batches. It knows no
store and no clock. Going up takes a promise or a table that is written down; going down takes a calm spell.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pydantic

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Colour, Signal

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WHOLE = ""
"""The part of a detector that looks at everything together."""

BatchT = TypeVar("BatchT")
StateT = TypeVar("StateT", bound="DataclassInstance")
RestoredT = TypeVar("RestoredT", bound="DataclassInstance")


@dataclass(frozen=True)
class DetectorChange:
    """A colour that a part of a detector took, up or down.

    ``seen``: how many rows the detector had been given, the one at which it changed included.
    """

    part: str
    """`WHOLE`, or the group or column that it is about."""
    colour: Colour
    seen: int
    reason: Text
    above: float | None = None
    """By how much the mean loss that it tells is above what was accepted; None: it is no mean loss."""


class Detector(ABC, Generic[BatchT, StateT]):
    """One pass, constant memory, resumable from `state`."""

    @property
    @abstractmethod
    def signal(self) -> Signal:
        """Which signal its warnings are of."""

    @property
    @abstractmethod
    def promise(self) -> Text:
        """How often a false warning may come, under which assumptions."""

    @property
    @abstractmethod
    def state(self) -> StateT:
        """All that it remembers: a frozen dataclass of plain numbers and words; `written`, `restored`: as JSON."""

    @property
    @abstractmethod
    def seen(self) -> int:
        """How many rows it has been given."""

    @property
    @abstractmethod
    def colours(self) -> Mapping[str, Colour]:
        """Where each part stands, in the order in which they were first met."""

    @property
    @abstractmethod
    def value(self) -> float:
        """How near it has come to its highest colour, which it takes at 1: what a page draws."""

    @abstractmethod
    def update(self, batch: BatchT, /) -> tuple[DetectorChange, ...]:
        """Take rows in their order; return the changes of colour in theirs.

        Raises:
            InputError: the rows cannot be read; then none of them is taken.
        """

    @property
    def colour(self) -> Colour:
        """Return the highest colour of its parts."""
        return max(self.colours.values(), key=list(Colour).index, default=Colour.GREEN)


def written(state: DataclassInstance) -> dict[str, Any]:
    """Return a detector's state as plain JSON."""
    return asdict(state)


def restored(kind: type[RestoredT], stored: Mapping[str, Any]) -> RestoredT:
    """Return the state that `written` made ``stored`` of, also after a way through JSON; raises `InputError`."""
    try:
        return pydantic.TypeAdapter(kind).validate_python(stored)
    except pydantic.ValidationError as error:
        raise InputError("detector.state_unreadable", kind=kind.__name__, found=error.error_count()) from None
