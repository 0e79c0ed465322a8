"""Terms of use over the API: what was used, by whom, for what."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import Told
from pilotbase.documents.hashes import Digest


class SeenUse(Told):
    """One use of a dataset, as its parties and the operator see it."""

    ground: str
    """The agreement, or the dataset itself where it is open."""
    place: int
    """The count: which use under this ground it was."""
    request: Digest
    target: str
    action: str
    organisation: str
    purpose: str
    recipient: str
    channel: str
    cell_size: int | None
    epsilon: int
    """Millionths of ε that it spent."""
    rows: int
    epsilon_so_far: int
    rows_so_far: int
    used_at: datetime
