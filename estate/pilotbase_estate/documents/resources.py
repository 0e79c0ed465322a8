"""Resources 资源: what a pool has, a job requests and a quota grants, as one vector of whole numbers.

Dimensions are ``cpu``, ``memory``, ``disk``, ``gpu/<kind>`` and ``licence/<name>``. People write cores, sizes with a
unit and pieces (``cpu: 1.5``, ``memory: 32 GiB``, ``gpu/t4: 2``); inside, cores and GPUs are counted in thousandths,
sizes in bytes and licences in pieces, so that sums are exact. A dimension that is not named means zero in a request or
a capacity, and **no limit** in a grant (`reference/compute.md` §5, lesson 4).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import pydantic
from pydantic import RootModel, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from pilotbase.documents.base import MOST_DIGITS, require_short
from pilotbase.documents.errors import InputError
from pilotbase.documents.quantities import MOST_BYTES, format_bytes, read_quantity

ANY_GPU = "gpu/any"
"""GPUs of any kind: in a job that takes any, and in capacities and quotas the sum of all kinds."""
MILLI = 1000
"""Cores and GPUs are counted in thousandths."""
CARD_PARTS = (1000, 500, 250, 125, 25, 5, 1)
"""Parts of a GPU, in thousandths, in which shares of one are held."""
MOST_PIECES = 1_000_000
"""Cores, GPUs or licences of one kind."""
_SIZES = ("memory", "disk")
_DIMENSION = re.compile(r"^(cpu|memory|disk|(?:gpu|licence)/[a-z0-9][a-z0-9._-]{0,40})$")

Vector = Mapping[str, int]
"""Dimension → amount in the unit in which it is counted; zero if not named."""


class Resources(RootModel[Mapping[str, int]]):
    """An amount of each dimension, in the units in which they are counted; written as people write it."""

    model_config = pydantic.ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: _counted(str(name), amount) for name, amount in value.items()}

    @classmethod
    def of(cls, vector: Vector) -> Resources:
        """Return the resources of a vector that is already counted."""
        return cls.model_construct(root=dict(sorted(vector.items())))

    @property
    def vector(self) -> Vector:
        return self.root

    @pydantic.model_serializer
    def _write(self) -> dict[str, int | str]:
        return {name: _written(name, amount) for name, amount in sorted(self.root.items())}

    def __str__(self) -> str:
        return format_vector(self.root)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return what people write: a number, or an amount with its unit."""
        found = handler.resolve_ref_schema(handler(core_schema))
        written = {"type": "string", "maxLength": MOST_DIGITS}
        found["additionalProperties"] = {"anyOf": [{"type": "number", "minimum": 0}, written]}
        return found


def _require_gpus(resources: Resources) -> Resources:
    for name, amount in resources.vector.items():
        if name.startswith("gpu/") and amount > MILLI and amount % MILLI:
            raise InputError("compute.broken_gpu", dimension=name, found=_number(amount))
    return resources


Demand = Annotated[Resources, pydantic.AfterValidator(_require_gpus)]
"""What one job requests: whole GPUs, or a share of one."""


def plus(one: Vector, other: Vector, times: int = 1) -> dict[str, int]:
    """Return ``one + times · other``."""
    names = one.keys() | other.keys()
    return {name: one.get(name, 0) + times * other.get(name, 0) for name in sorted(names)}


def minus(one: Vector, other: Vector, times: int = 1) -> dict[str, int]:
    """Return ``one − times · other``."""
    return plus(one, other, -times)


def total(vectors: Iterable[Vector]) -> dict[str, int]:
    """Return the sum of vectors."""
    summed: dict[str, int] = {}
    for vector in vectors:
        for name, amount in vector.items():
            summed[name] = summed.get(name, 0) + amount
    return summed


def counted(vector: Vector) -> Vector:
    """Return a demand or capacity with ``gpu/any`` as the sum of all its GPUs; unchanged if it has none."""
    gpus = [amount for name, amount in vector.items() if name.startswith("gpu/")]
    return {**vector, ANY_GPU: sum(gpus)} if gpus else vector


def on_cards(demand: Vector) -> Vector:
    """Return what a demand holds of a machine: a share of a GPU becomes the smallest part of a card that covers it.

    Each part in `CARD_PARTS` divides the one before, so parts that add up to whole cards fit on whole cards: on a
    machine whose sums fit, no share is spread over two cards.
    """
    shares = {name: amount for name, amount in demand.items() if name.startswith("gpu/") and 0 < amount < MILLI}
    return {**demand, **{name: min(one for one in CARD_PARTS if one >= share) for name, share in shares.items()}}


def guaranteed(guarantee: Vector) -> Vector:
    """Return a guarantee with ``gpu/any`` as it names it, and no less than the sum of the kinds it names."""
    kinds = [amount for name, amount in guarantee.items() if is_kind(name)]
    return {**guarantee, ANY_GPU: max(guarantee.get(ANY_GPU, 0), sum(kinds))} if kinds else guarantee


def is_kind(dimension: str) -> bool:
    """Return whether a dimension is one kind of GPU."""
    return dimension.startswith("gpu/") and dimension != ANY_GPU


def missing(asked: Vector, free: Vector) -> dict[str, int]:
    """Return by how much each dimension of ``asked`` exceeds what is ``free``; empty: it fits."""
    return {name: amount - free.get(name, 0) for name, amount in asked.items() if amount > max(free.get(name, 0), 0)}


def beyond(used: Vector, limit: Vector) -> dict[str, int]:
    """Return by how much ``used`` exceeds each dimension that ``limit`` names; others are unlimited."""
    return {name: used.get(name, 0) - most for name, most in limit.items() if used.get(name, 0) > most}


def dominant_share(used: Vector, capacity: Vector) -> float:
    """Return the largest share of any dimension of ``capacity``, 0 to 1 (Ghodsi et al., NSDI 2011, §4.1)."""
    return max((used.get(name, 0) / whole for name, whole in capacity.items() if whole > 0), default=0.0)


def format_vector(vector: Vector) -> str:
    """Return a vector in readable form: ``cpu 1.5, memory 32 GiB, gpu/t4 2``."""
    return ", ".join(f"{name} {format_amount(name, amount)}" for name, amount in sorted(vector.items()) if amount)


def format_amount(dimension: str, amount: int) -> str:
    """Return an amount of a dimension in readable form: ``1.5`` cores, ``32 GiB``, ``2`` pieces."""
    if dimension in _SIZES:
        return format_bytes(amount)
    return str(amount) if dimension.startswith("licence/") else _number(amount)


def _counted(name: str, amount: object) -> object:
    if _DIMENSION.fullmatch(name) is None:
        raise InputError("compute.unknown_dimension", found=name[:60])
    if name in _SIZES:
        size = read_quantity(require_short(amount), "B")
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MOST_BYTES:
            raise InputError("compute.bad_size", dimension=name, found=str(amount)[:60])
        return size
    unit = 1 if name.startswith("licence/") else MILLI
    try:
        number = Decimal(str(require_short(amount))) * unit
    except InvalidOperation:
        raise InputError("compute.bad_amount", dimension=name, found=str(amount)[:60]) from None
    if isinstance(amount, bool) or not number.is_finite() or not 0 <= number <= MOST_PIECES * unit or number % 1:
        raise InputError("compute.bad_amount", dimension=name, found=str(amount)[:60])
    return int(number)


def _written(name: str, amount: int) -> int | str:
    if name in _SIZES or name.startswith("licence/"):
        return amount
    return amount // MILLI if amount % MILLI == 0 else _number(amount)


def _number(amount: int) -> str:
    return f"{Decimal(amount) / MILLI:f}".rstrip("0").rstrip(".") if amount % MILLI else str(amount // MILLI)
