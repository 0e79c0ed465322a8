"""Endpoint 端点: an application hosted by its supplier and called over HTTP, of which the base sees no digest.

The part ``endpoint`` of the manifest, and what a report says about the calls.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Day, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.quantities import Seconds
from pilotbase.documents.texts import Text, text

ClientProtocol = Literal[
    "open_inference",
    "openai_chat",
    "openai_completions",
    "openai_embeddings",
    "openai_tools",
    "openai_responses",
    "a2a",
]
"""Protocols of endpoints; each is a module of `pilotbase.sandbox.endpoints.wires`."""
PROMPTED: tuple[ClientProtocol, ...] = ("openai_chat", "openai_completions")
"""Protocols in which both case and answer are text."""
_MODELS: tuple[ClientProtocol, ...] = ("openai_tools", "openai_responses")
"""Protocols of models that act: prompt and sampling are the supplier's, tools and dialogue the world's."""
ACTING: tuple[ClientProtocol, ...] = (*_MODELS, "a2a")
"""Protocols of applications that act."""
ReadAs = Literal["whole", "first_line", "last_number", "regex", "json_field"]
KeyName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code, such as ``CNY``."""
EndpointUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@#?]{1,500}$")]
Money = Annotated[Decimal, pydantic.Field(ge=0, lt=10**9, decimal_places=9)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x20]+$")]
TensorName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_THOUSAND = 1000


class HourPrice(Part):
    """Cost of one CPU hour to the party that runs the application."""

    amount: Money
    currency: Currency


class Prices(Part):
    """What its calls cost."""

    currency: Currency
    prompt: Money = Decimal(0)
    """Per 1,000 prompt tokens."""
    completion: Money = Decimal(0)
    """Per 1,000 answer tokens."""
    call: Money = Decimal(0)
    """Per call, regardless of its length."""

    def cost(self, calls: int, prompt: int, completion: int) -> Decimal:
        """Return the exact cost of this many calls and tokens, in `currency`."""
        return self.call * calls + (self.prompt * prompt + self.completion * completion) / _THOUSAND


class Period(Part):
    """How long the supplier keeps this version unchanged, both days included."""

    since: Day
    until: Day


class Example(Part):
    """One question and its answer, shown to the model before each case."""

    question: Prose
    answer: Prose


class Sampling(Part):
    """Sampling parameters of the model; what is not set is left to the endpoint."""

    temperature: float | None = pydantic.Field(default=None, ge=0, le=10)
    top_p: float | None = pydantic.Field(default=None, gt=0, le=1)
    max_tokens: int = pydantic.Field(default=256, ge=1, le=100_000)
    seed: int | None = pydantic.Field(default=None, ge=0, le=2**53 - 1)
    stop: Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...] | None,
                    pydantic.Field(max_length=4)] = None  # fmt: skip

    def spelled(self) -> str:
        """Return what is set, under the API's names: ``temperature 0.0, max_tokens 256``."""
        return ", ".join(f"{name} {value}" for name, value in self.to_json_value().items())


class AnswerParsing(Part):
    """Where the answer is in the model's text."""

    read: ReadAs = "whole"
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    """For ``regex``: its first group, or the whole match; RE2 syntax, so that no text takes long."""
    field: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """For ``json_field``: the name in the first JSON object of the text."""


class Prompt(Part):
    """How a case becomes a prompt, the same for all cases: part of the version, and so of the frozen plan."""

    system: Prose | None = None
    template: Prose
    """The question; ``{torque}`` inserts a feature, ``{{`` and ``}}`` are braces."""
    examples: Annotated[tuple[Example, ...], pydantic.Field(max_length=100)] = ()
    sampling: Sampling = Sampling.model_construct()
    answer: AnswerParsing = AnswerParsing.model_construct()

    def problems(self) -> Iterator[tuple[str, Text]]:
        """Yield problems that do not depend on the contract, with the field to change."""
        yield from template_problems(self.template)
        for needs, given in (("regex", "pattern"), ("json_field", "field")):
            if (self.answer.read == needs) != (getattr(self.answer, given) is not None):
                yield f"answer.{given}", text("endpoint.reading_needs", read=needs, field=given)


class Nearest(Part):
    """How embeddings answer: with the class whose text is nearest, or with the similarity of two texts."""

    template: Prose
    """Template for the text of a case, as in a prompt."""
    against: Prose | None = None
    """Template for a second text: the answer is then the similarity of the two, a number from -1 to 1."""
    texts: dict[str, Prose] = pydantic.Field(default_factory=dict, max_length=1000)
    """Class → the text that represents it; its name if there is none."""


def template_features(template: str) -> tuple[str, ...]:
    """Return the names in a template, in order, each once; raises `ValueError` if it isn't a template."""
    names: dict[str, None] = {}
    for _, name, form, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if not name or form or conversion:
            raise ValueError(name)
        names[name] = None
    return tuple(names)


def template_problems(template: str) -> Iterator[tuple[str, Text]]:
    """Yield problems of a template that do not depend on the contract."""
    try:
        template_features(template)
    except ValueError:
        yield "template", text("endpoint.no_template")


class Endpoint(Part):
    """Where the supplier hosts it, which protocol it uses, and how to call it."""

    protocol: ClientProtocol
    url: EndpointUrl
    """Base address of the protocol: ``https://host/v1`` for OpenAI's, the part before ``/v2`` for Open Inference, and
    before ``/.well-known/agent-card.json`` for A2A.
    """
    model: ModelName
    version: ModelName | None = None
    """Version of the model, as known to the endpoint; of an A2A agent, the one on its card."""
    key: KeyName | None = None
    """Name of the secret key sent to the endpoint; the operator keeps the key itself, and it is never stored here."""
    period: Period
    prices: Prices | None = None
    calls_per_second: float = pydantic.Field(default=10.0, gt=0, le=100_000)
    in_flight: int = pydantic.Field(default=4, ge=1, le=64)
    """Maximum concurrent calls."""
    timeout: Seconds = pydantic.Field(default=30.0, gt=0)
    """Timeout of one call."""
    stream: bool | None = None
    """For models that act: each answer is a stream of events, read to its end."""
    prompt: Prompt | None = None
    """For text protocols."""
    nearest: Nearest | None = None
    """For embeddings."""
    input: TensorName | None = None
    """Open Inference: the tensor that takes all features as one matrix; one tensor per feature when not set."""
    output: TensorName | None = None
    """Open Inference: the tensor that answers; ``prediction``, or the only one, when not set."""

    def problems(self) -> Iterator[tuple[str, Text]]:
        """Yield what its protocol is missing and what it never reads, with the field to change."""
        needed = {"prompt": self.protocol in PROMPTED + _MODELS, "nearest": self.protocol == "openai_embeddings"}
        for part, needs in needed.items():
            if needs != (getattr(self, part) is not None):
                code = "endpoint.part_needed" if needs else "endpoint.no_part_here"
                yield part, text(code, protocol=self.protocol, part=part)
        for path in self._never_read():
            yield path, text("endpoint.no_part_here", protocol=self.protocol, part=path.rpartition(".")[2])
        if self.protocol != "open_inference":
            tensors = (name for name in ("input", "output") if getattr(self, name) is not None)
            yield from ((name, text("endpoint.no_tensor_here", protocol=self.protocol)) for name in tensors)
        if self.period.until < self.period.since:
            yield "period.until", text("endpoint.period_backwards", since=self.period.since)
        if self.prompt is not None:
            yield from ((f"prompt.{path}", problem) for path, problem in self.prompt.problems())
        if self.nearest is not None:
            yield from ((f"nearest.{path}", problem) for path, problem in template_problems(self.nearest.template))
            second = template_problems(self.nearest.against or "")
            yield from (("nearest.against", problem) for _, problem in second)

    def _never_read(self) -> Iterator[str]:
        if self.stream is not None and self.protocol not in _MODELS:
            yield "stream"
        if self.prompt is not None and self.protocol == "openai_responses":
            sampling = self.prompt.sampling
            yield from (f"prompt.sampling.{name}" for name in ("seed", "stop") if getattr(sampling, name) is not None)


class Spent(Part):
    """What the calls of a run took, as criteria judge it."""

    cases: int
    """Cases asked about; those asked again after a crash count again."""
    tokens: int | None = None
    """None: the protocol doesn't count tokens."""
    cost_per_thousand: Money | None = None
    currency: Currency | None = None


class _Named(Part):
    protocol: ClientProtocol
    url: str
    model: str
    version: str | None = None
    period: Period


class EndpointStatement(_Named):
    """The endpoint and how long its supplier keeps it: on a certificate, this replaces a digest of the model."""

    canaries: Digest | None = None
    """Digest of the answers that later ones are compared with."""


class CanaryAnswers(Part):
    """Answers to questions of the public sample, asked again at the end, several times each: what it answers today."""

    cases: tuple[int, ...]
    """Positions in the public sample."""
    answers: tuple[tuple[str, ...], ...]
    """For each case the distinct answers, as texts; several if the answer varies."""
    digest: Digest
    """Digest of cases and answers."""


Number = TypeVar("Number", int, float, Decimal)


def _two_digits(value: Number | None, kind: Callable[[str], Number]) -> Number | None:
    return None if value is None else kind(f"{Decimal(f'{value:.2g}'):f}")


class EndpointUse(_Named):
    """What a report says about an endpoint: where it is, and the totals of the calls to it."""

    calls: int = 0
    """Questions sent, regardless of their outcome."""
    attempts: int = 0
    """Requests, including retries."""
    unanswered: int = 0
    """Calls that ended without an answer: their cases count as worst."""
    unread: int = 0
    """Cases whose answer contains nothing the contract requires: they count as abstentions."""
    cases: int = 0
    """Cases that calls asked about."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """None: the protocol doesn't count tokens."""
    estimated: int = 0
    """Calls without reported tokens: these are estimated at four bytes each."""
    seconds: float = 0.0
    """Total seconds of all calls; more than elapsed time if calls ran concurrently."""
    cost: Money | None = None
    cost_per_thousand: Money | None = None
    """Cost per 1,000 cases, as asked."""
    currency: Currency | None = None
    served: tuple[str, ...] = ()
    """The names that the endpoint gave to what answered."""
    records: Digest
    """Commitment to the record of every call."""
    canaries: CanaryAnswers | None = None

    @property
    def spent(self) -> Spent:
        """Return the totals that criteria judge."""
        counted = self.prompt_tokens is not None
        return Spent(
            cases=self.cases,
            tokens=(self.prompt_tokens or 0) + (self.completion_tokens or 0) if counted else None,
            cost_per_thousand=self.cost_per_thousand,
            currency=self.currency,
        )

    def coarse(self) -> EndpointUse:
        """Return it with figures that the endpoint can choose in two digits, and without the names it gave itself."""
        counts = ("attempts", "unanswered", "unread", "prompt_tokens", "completion_tokens", "estimated")
        rounded: dict[str, object] = {name: _two_digits(getattr(self, name), int) for name in counts}
        money = ("cost", "cost_per_thousand")
        rounded |= {name: _two_digits(getattr(self, name), Decimal) for name in money}
        return self.model_copy(update={**rounded, "seconds": _two_digits(self.seconds, float), "served": ()})

    @property
    def statement(self) -> EndpointStatement:
        """Return what a certificate says about it."""
        named = {name: getattr(self, name) for name in _Named.model_fields}
        return EndpointStatement(**named, canaries=None if self.canaries is None else self.canaries.digest)
