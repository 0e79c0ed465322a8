"""Functions as a notebook has them: with a helper, a constant, an import, and what cannot go along."""

import math
from fractions import Fraction

LIMITS = {"north": 6.0, "south": 6.0}


class Model:
    def answer(self, pressure):
        return "fine"


constant_model = Model()


def decide(pressure, site):
    return "broken" if Fraction(pressure) > math.floor(LIMITS[site]) else "fine"


def predict(batch):
    print(f"the limit is {LIMITS['north']}")
    return [decide(pressure, site) for pressure, site in zip(batch["pressure"], batch["site"], strict=True)]


def with_a_typing_error(batch):
    return ["broken" if one > presure_limit else "fine" for one in batch["pressure"]]  # noqa: F821


def with_a_constant_model(batch):
    return [constant_model.answer(one) for one in batch["pressure"]]
