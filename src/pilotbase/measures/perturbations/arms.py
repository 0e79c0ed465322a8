"""What the same episode of a world is played under: the world itself changes it, told by the column ``arm``."""

from decimal import Decimal

import numpy as np

from pilotbase.documents.world import Arm
from pilotbase.measures.perturbations.definition import COLUMNS, Column, FieldRef, Perturbation, PerturbationParameter

_WHOLE = PerturbationParameter("strength", Decimal(1), whole=True)


class _EpisodeArm(Perturbation):
    """Plays every episode in one arm: nothing else of it changes, and no draw is shared with the clean one."""

    kinds = frozenset({"arm"})
    parameters = (_WHOLE, COLUMNS)

    def change(self, column: Column, place: FieldRef) -> Column:
        return np.full(len(column), self.name, dtype=object)


ARMS: tuple[type[Perturbation], ...] = tuple(type(arm.name, (_EpisodeArm,), {"name": arm.value}) for arm in Arm)
