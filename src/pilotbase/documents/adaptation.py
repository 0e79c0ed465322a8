"""Adaptation 适配: the environments in which an application is to answer as it did in the trial."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.limits import EndReason, IsolationLevel
from pilotbase.documents.quantities import Bytes

_Word = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w.+ -]+$")]


class Cell(Part):
    """One environment; what it does not say is as in the trial."""

    name: Name
    system: _Word | None = None
    """Such as ``linux``."""
    architecture: _Word | None = None
    """Such as ``x86_64`` or ``aarch64``."""
    accelerator: _Word | None = None
    """Such as ``ascend-910b``; ``none`` says that none is needed."""
    python: Annotated[str, StringConstraints(pattern=r"^3\.\d{1,2}$")] | None = None
    threads: int | None = pydantic.Field(default=None, ge=1, le=1024)
    memory_bytes: Bytes | None = pydantic.Field(default=None, ge=64 << 20)
    batch_rows: int | None = pydantic.Field(default=None, ge=1, le=65_536)
    isolation: IsolationLevel | None = None


class Matrix(Part):
    """The cells that are run with cases of the public sample, and how far answers may lie apart."""

    cells: tuple[Cell, ...] = pydantic.Field(min_length=1, max_length=50)
    tolerance: float = pydantic.Field(default=1e-6, ge=0, le=1e9)
    """Of numbers; anything else must be the same."""
    cases: int = pydantic.Field(default=256, ge=1, le=100_000)

    @pydantic.model_validator(mode="after")
    def _names_differ(self) -> Matrix:
        names = [cell.name for cell in self.cells]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise InputError("scenario.cell_twice", name=double)
        return self


class CellRun(Part):
    """What became of one cell."""

    cell: Cell
    differs_here: str | None = None
    """What of it this machine is not: then nothing was run."""
    end: EndReason | None = None
    cases: int = 0
    differing: int = 0
    """Cases whose answers lie apart from the trial's."""
    largest: float | None = None
    """Of numbers: the largest distance."""

    @property
    def measured(self) -> bool:
        """Tell whether it was run."""
        return self.differs_here is None

    @property
    def agrees(self) -> bool:
        """Tell whether every case was answered as in the trial."""
        return self.end is EndReason.FINISHED and self.cases > 0 and not self.differing
