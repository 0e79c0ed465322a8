"""Door 模型通道: through which an application that acts uses a model of the base, and how much of it an episode has.

The application names no address and holds no key: it asks for `MODEL` at a socket in its box, and the base asks the
model. Which one that is, its sampling and the budget are part of the frozen plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pydantic

from pilotbase.documents.base import Part
from pilotbase.documents.endpoint import (
    Endpoint,
    EndpointUrl,
    EndpointUse,
    KeyName,
    ModelName,
    Money,
    Period,
    Prices,
    Sampling,
)
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quantities import Seconds
from pilotbase.documents.texts import Text, text

MODEL = "base"
"""The one name under which applications know it."""
KEYS_OF = "@door"
"""In the place of a supplier in the operator's file of keys; no supplier can have this name."""


class ModelAddress(Part):
    """Where a model is, at an address of OpenAI's chat completions, and which model it is."""

    url: EndpointUrl
    """Base address: ``http://127.0.0.1:8000/v1``."""
    model: ModelName
    version: ModelName | None = None
    digest: Digest | None = None
    """Of its weights, if its operator knows it."""
    key: KeyName | None = None
    """Name of the secret key sent to it; the operator keeps the key itself, under ``@door/NAME``."""


class DoorModel(ModelAddress):
    """A model of the base's operator, or open to it on its own terms."""

    period: Period
    """How long it stays unchanged."""
    prices: Prices | None = None
    calls_per_second: float = pydantic.Field(default=100.0, gt=0, le=100_000)
    timeout: Seconds = pydantic.Field(default=60.0, gt=0)
    """Timeout of one request."""


class ModelDoor(Part):
    """The model, and the budget of each episode: what would exceed it is not asked."""

    model: DoorModel
    calls: int = pydantic.Field(default=60, ge=1, le=10_000)
    tokens: int = pydantic.Field(default=60_000, ge=1, le=10**9)
    """Of all requests and answers together."""
    cost: Money | None = None
    """In the currency of the model's prices; only calls and tokens limit it when not set."""
    sampling: Sampling = Sampling.model_construct()
    """Applications' own wishes are dropped."""

    @property
    def endpoint(self) -> Endpoint:
        """Return the model as an endpoint, whose requests the application words."""
        named = self.model.model_dump(exclude={"digest"})
        return Endpoint(protocol="openai_chat", in_flight=1, **named)

    @property
    def statement(self) -> ModelStatement:
        """Return what a certificate says about it."""
        named = self.model.model_dump(include={"url", "model", "version", "digest", "period"})
        return ModelStatement(sampling=self.sampling, **named)

    @property
    def most_cost(self) -> Decimal | None:
        """Return the most that an episode can cost, in the currency of the prices; None: there are none."""
        prices = self.model.prices
        if prices is None:
            return None
        most = max(prices.cost(self.calls, self.tokens, 0), prices.cost(self.calls, 0, self.tokens))
        return most if self.cost is None else min(most, self.cost)

    def at(self, address: ModelAddress) -> ModelDoor:
        """Return the same door to the same model at another address.

        Raises:
            RefusedError: another model is there, or one of another version or digest.
        """
        mine = self.model
        for name in ("model", "version", "digest"):
            found, certified = getattr(address, name), getattr(mine, name)
            if found not in (certified, None):
                raise RefusedError("service.other_model", field=name, found=found, certified=certified or "–")
        moved = mine.model_copy(update={"url": address.url, "key": address.key})
        return self.model_copy(update={"model": moved})

    def used(self, use: EndpointUse) -> DoorUse:
        """Return what a report says about it."""
        return DoorUse(terms=self, use=use)

    def problems(self) -> Iterator[tuple[str, Text]]:
        """Yield what is wrong with it, with the field to change."""
        period = self.model.period
        if period.until < period.since:
            yield "model.period.until", text("endpoint.period_backwards", since=period.since)
        if self.cost is not None and self.model.prices is None:
            yield "cost", text("scenario.door_without_prices")


class ModelStatement(Part):
    """The model behind the door, on a certificate: with another one nothing is claimed."""

    url: str
    model: str
    version: str | None = None
    digest: Digest | None = None
    period: Period
    sampling: Sampling


class DoorUse(Part):
    """What a report says about the door: its terms, and the totals of all calls through it."""

    terms: ModelDoor
    use: EndpointUse

    def coarse(self) -> DoorUse:
        """Return it with figures that the application can choose in two digits."""
        return self.model_copy(update={"use": self.use.coarse()})
