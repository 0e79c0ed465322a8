"""Endpoint 端点: an application that its supplier keeps, asked over HTTP; no digest of what answers is ever seen.

The part ``endpoint`` of the manifest, and what a report says of the calls that were made.
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

ClientProtocol = Literal["open_inference", "openai_chat", "openai_completions", "openai_embeddings"]
"""What an endpoint may speak; each is a module of `pilotbase.compute.endpoints.wires`."""
PROMPTED: tuple[ClientProtocol, ...] = ("openai_chat", "openai_completions")
"""Protocols in which a case is put in words and answered in words."""
ReadAs = Literal["whole", "first_line", "last_number", "regex", "json_field"]
KeyName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""As ISO 4217 spells it, such as ``CNY``."""
Money = Annotated[Decimal, pydantic.Field(ge=0, lt=10**9, decimal_places=9)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x20]+$")]
TensorName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_THOUSAND = 1000


class Prices(Part):
    """What its calls cost."""

    currency: Currency
    prompt: Money = Decimal(0)
    """Of 1,000 tokens of a prompt."""
    completion: Money = Decimal(0)
    """Of 1,000 tokens of an answer."""
    call: Money = Decimal(0)
    """Of one call, whatever its length."""

    def cost(self, calls: int, prompt: int, completion: int) -> Decimal:
        """Return what so many calls and tokens cost, in `currency`; exact."""
        return self.call * calls + (self.prompt * prompt + self.completion * completion) / _THOUSAND


class Period(Part):
    """For how long the supplier keeps this version as it is, both days included."""

    since: Day
    until: Day


class Example(Part):
    """One question and its answer, shown to the model before each case."""

    question: Prose
    answer: Prose


class Sampling(Part):
    """How the model chooses its words; what is not set is left to the endpoint."""

    temperature: float | None = pydantic.Field(default=None, ge=0, le=10)
    top_p: float | None = pydantic.Field(default=None, gt=0, le=1)
    max_tokens: int = pydantic.Field(default=256, ge=1, le=100_000)
    seed: int | None = pydantic.Field(default=None, ge=0, le=2**63 - 1)
    stop: Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...] | None,
                    pydantic.Field(max_length=4)] = None  # fmt: skip


class AnswerParsing(Part):
    """Where in its words the answer stands."""

    read: ReadAs = "whole"
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    """With ``regex``: its first group, or all of it; RE2 syntax, so that no text takes long."""
    field: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """With ``json_field``: the name in the first JSON object of the text."""


class Prompt(Part):
    """How a case is put in words, the same for all: part of the version, and so of the frozen plan."""

    system: Prose | None = None
    template: Prose
    """The question; ``{torque}`` stands for a feature, ``{{`` and ``}}`` for braces."""
    examples: Annotated[tuple[Example, ...], pydantic.Field(max_length=100)] = ()
    sampling: Sampling = Sampling()
    answer: AnswerParsing = AnswerParsing()

    def problems(self) -> Iterator[tuple[str, Text]]:
        """Yield what is wrong with it whatever the contract, with the field to change."""
        yield from template_problems(self.template)
        for needs, given in (("regex", "pattern"), ("json_field", "field")):
            if (self.answer.read == needs) != (getattr(self.answer, given) is not None):
                yield f"answer.{given}", text("endpoint.reading_needs", read=needs, field=given)


class Nearest(Part):
    """How a case is answered with the class whose text lies nearest to its own, or with how near two texts lie."""

    template: Prose
    """The text of a case, as that of a prompt."""
    against: Prose | None = None
    """A second text of the case: then the answer is how near the two lie, a number from -1 to 1."""
    texts: dict[str, Prose] = pydantic.Field(default_factory=dict, max_length=1000)
    """Class → the text that stands for it; its name where there is none."""


def template_features(template: str) -> tuple[str, ...]:
    """Return the names in a template, in its order, each once; raises `ValueError` where it is none."""
    names: dict[str, None] = {}
    for _, name, form, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if not name or form or conversion:
            raise ValueError(name)
        names[name] = None
    return tuple(names)


def template_problems(template: str) -> Iterator[tuple[str, Text]]:
    """Yield what is wrong with a template whatever the contract."""
    try:
        template_features(template)
    except ValueError:
        yield "template", text("endpoint.no_template")


class Endpoint(Part):
    """Where the supplier keeps it, what it speaks, and how it is to be asked."""

    protocol: ClientProtocol
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s@#?]{1,500}$")]
    """Where the protocol begins: ``https://host/v1`` for OpenAI's, for Open Inference what stands before ``/v2``."""
    model: ModelName
    version: ModelName | None = None
    """Of the model, as the endpoint knows it."""
    key: KeyName | None = None
    """Name of the secret key that is shown there; the key itself is the operator's to keep, never here."""
    period: Period
    prices: Prices | None = None
    calls_per_second: float = pydantic.Field(default=10.0, gt=0, le=100_000)
    in_flight: int = pydantic.Field(default=4, ge=1, le=64)
    """Calls at the same time."""
    timeout: Seconds = pydantic.Field(default=30.0, gt=0)
    """Of one call."""
    prompt: Prompt | None = None
    """With a protocol of words."""
    nearest: Nearest | None = None
    """With embeddings."""
    input: TensorName | None = None
    """Open Inference: the tensor that takes all features as one matrix; one tensor a feature when not set."""
    output: TensorName | None = None
    """Open Inference: the tensor that answers; ``prediction``, or the only one, when not set."""

    def problems(self) -> Iterator[tuple[str, Text]]:
        """Yield what its protocol lacks and what it never reads, with the field to change."""
        needed = {"prompt": self.protocol in PROMPTED, "nearest": self.protocol == "openai_embeddings"}
        for part, needs in needed.items():
            if needs != (getattr(self, part) is not None):
                code = "endpoint.part_needed" if needs else "endpoint.no_part_here"
                yield part, text(code, protocol=self.protocol, part=part)
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


class Spent(Part):
    """What the calls of a run took, as criteria judge it."""

    cases: int
    """That were asked about; those that were asked again after a crash count again."""
    tokens: int | None = None
    """None: the protocol counts none."""
    cost_per_thousand: Money | None = None
    currency: Currency | None = None


class EndpointStatement(Part):
    """Which endpoint it was, for how long its supplier keeps it: on a certificate in place of a digest of the model."""

    protocol: ClientProtocol
    url: str
    model: str
    version: str | None = None
    period: Period
    canaries: Digest | None = None
    """Of the answers that are held against later ones."""


class CanaryAnswers(Part):
    """Questions of the public sample that were asked again at the end, several times each: what it answers today."""

    cases: tuple[int, ...]
    """Places in the public sample."""
    answers: tuple[tuple[str, ...], ...]
    """Of each case the answers that came, each once, as texts; several where it is not always the same."""
    digest: Digest
    """Of cases and answers."""


Number = TypeVar("Number", int, float, Decimal)


def _two_digits(value: Number | None, kind: Callable[[str], Number]) -> Number | None:
    return None if value is None else kind(f"{Decimal(f'{value:.2g}'):f}")


class EndpointUse(Part):
    """What a report says of an endpoint: where it is, and what the calls to it came to."""

    protocol: ClientProtocol
    url: str
    model: str
    version: str | None = None
    period: Period
    calls: int = 0
    """Questions that were sent, whatever came of them."""
    attempts: int = 0
    """Requests, those that were sent again included."""
    unanswered: int = 0
    """Calls that ended without an answer: their cases count as worst."""
    unread: int = 0
    """Cases whose answer says nothing that the contract asks for: they abstain."""
    cases: int = 0
    """That calls asked about."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """None: the protocol counts no tokens."""
    estimated: int = 0
    """Calls whose tokens nobody told: they are estimated, four bytes each."""
    seconds: float = 0.0
    """That calls took, all together; more than passed where several were under way."""
    cost: Money | None = None
    cost_per_thousand: Money | None = None
    """Of 1,000 cases, as they are."""
    currency: Currency | None = None
    served: tuple[str, ...] = ()
    """How the endpoint named what answered."""
    records: Digest
    """Commitment to the record of every call."""
    canaries: CanaryAnswers | None = None

    @property
    def spent(self) -> Spent:
        """Return what criteria judge."""
        counted = self.prompt_tokens is not None
        return Spent(
            cases=self.cases,
            tokens=(self.prompt_tokens or 0) + (self.completion_tokens or 0) if counted else None,
            cost_per_thousand=self.cost_per_thousand,
            currency=self.currency,
        )

    def coarse(self) -> EndpointUse:
        """Return it with what the endpoint itself chooses in two digits, and without the names that it gave itself."""
        counts = ("attempts", "unanswered", "unread", "prompt_tokens", "completion_tokens", "estimated")
        rounded: dict[str, object] = {name: _two_digits(getattr(self, name), int) for name in counts}
        money = ("cost", "cost_per_thousand")
        rounded |= {name: _two_digits(getattr(self, name), Decimal) for name in money}
        return self.model_copy(update={**rounded, "seconds": _two_digits(self.seconds, float), "served": ()})

    @property
    def statement(self) -> EndpointStatement:
        """Return what a certificate says of it."""
        return EndpointStatement(
            protocol=self.protocol,
            url=self.url,
            model=self.model,
            version=self.version,
            period=self.period,
            canaries=None if self.canaries is None else self.canaries.digest,
        )
