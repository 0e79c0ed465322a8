"""Practice packs 练习包: generators of cases whose truth and its cause are known, so that draws never run out.

A pack is public; only the seed of a draw is secret. Its cases are simulated: good for practice and tests, and never the
base of a claim about a site.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXAMPLES = 10_000
"""Labelled cases for learning, the same for everybody."""
Column = NDArray[Any]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Cases of one draw: their columns, and for each cause of the asked class which cases have it."""

    columns: Mapping[str, Column]
    causes: Mapping[str, Flags]

    @property
    def truth(self) -> Flags:
        """Return which cases are of the asked class."""
        found: Flags = np.logical_or.reduce(list(self.causes.values()))
        return found

    def rows(self, with_truth: bool = False) -> list[dict[str, Any]]:
        """Return the cases as rows of a table, numbered from 1."""
        columns = {name: values.tolist() for name, values in self.columns.items()}
        if with_truth:
            columns["failure"] = self.truth.astype(int).tolist()
        numbered = enumerate(zip(*columns.values(), strict=True), start=1)
        return [{"case": number, **dict(zip(columns, row, strict=True))} for number, row in numbered]


@dataclass(frozen=True)
class PracticePack:
    """A generator. ``classes``: the other class, and the one that is asked about."""

    name: str
    classes: tuple[str, str]
    draw: Callable[[bytes, int], Drawn]

    def examples(self) -> Drawn:
        """Return the public cases."""
        return self.draw(f"{self.name} examples".encode(), EXAMPLES)


def _draw_milling(seed: bytes, cases: int) -> Drawn:
    """Return workpieces of a milling machine after the published rules of AI4I 2020 (Matzka, 2020).

    Some wear and a few random failures can be seen in no column, so that no rule finds every failure.
    """
    random = np.random.default_rng(list(seed))
    quality = random.choice(3, cases, p=(0.6, 0.3, 0.1))
    air = np.round(random.normal(300, 2, cases), 1)
    process = np.round(air + random.normal(10, 1, cases), 1)
    torque = np.round(np.clip(random.normal(40, 10, cases), 3.8, 76.6), 1)
    speed = 1480 * (40 / torque) ** 0.45 * np.exp(random.normal(0, 0.05, cases)) + random.exponential(20, cases)
    speed = np.round(np.clip(speed, 1168, 2886)).astype(np.int64)
    wear = random.integers(0, 221, cases)
    power = torque * speed * (2 * math.pi / 60)
    causes = {
        "heat": (np.round(process - air, 1) < 8.6) & (speed < 1380),
        "power": (power < 3500) | (power > 9000),
        "overstrain": wear * torque > np.array((11_000, 12_000, 13_000))[quality],
        "wear": (wear >= 200) & (random.random(cases) < 0.02),
        "random": random.random(cases) < 0.001,
    }
    columns = {
        "product_type": np.array(["L", "M", "H"])[quality],
        "air_temperature_k": air,
        "process_temperature_k": process,
        "speed_rpm": speed,
        "torque_nm": torque,
        "tool_wear_min": wear,
    }
    return Drawn(columns, causes)


PACKS: Mapping[str, PracticePack] = MappingProxyType(
    {one.name: one for one in (PracticePack("milling/1", ("ok", "failure"), _draw_milling),)}
)
