"""Judge 评判模型: a language model of the base's operator that scores answers, frozen before anything is asked of it.

A judge's score is never taken as it is: people label cases that are drawn at random, and what they say corrects it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

import pydantic

from pilotbase.documents.base import Document, Part
from pilotbase.documents.endpoint import PROMPTED, Endpoint, template_features
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import Text, text

ANSWER, REFERENCE, FIRST, SECOND = "answer", "reference", "first", "second"
"""Places of the prompt: what was answered and the true answer; of a comparison, the two that are compared."""
RULES = ("accuracy", "error_rate")
"""Measures that say whether a case is right, which is what people label."""


class Judge(Document):
    """How answers are scored, and what is decided on them.

    The prompt names columns of the cases (``{question}``), ``{reference}``, and either ``{answer}``, or ``{first}`` and
    ``{second}``: then the answer is compared with the baseline's, in both orders.
    """

    document: Literal["judge/1"] = "judge/1"
    endpoint: Endpoint
    """Kept by the base's operator, or open to it on its own terms: what is judged is sent there.

    A model of embeddings judges by how near the answer lies to another text: ``nearest: {template: "{answer}", against:
    "{reference}"}``.
    """
    scale: tuple[float, float] = (0.0, 1.0)
    """The worst and the best score; of a comparison, all for the second and all for the first. What lies beyond either
    end counts as that end where embeddings judge: of many models unlike texts lie near 0.7."""
    criteria: tuple[Criterion, ...] = pydantic.Field(min_length=1, max_length=10)
    """On the share of answers that people call right: ``accuracy >= 0.9``; of a comparison, that they prefer."""
    alpha: float = pydantic.Field(default=0.05, gt=0, lt=1)
    weight: float = pydantic.Field(default=0.75, ge=0, le=1)
    """How much the scores count (λ): of a poor judge, little."""
    missing: float = pydantic.Field(default=0.0, ge=0, le=1)
    """The score, between 0 and 1, of a case that the judge did not score."""

    @property
    def compares(self) -> bool:
        """Tell whether two answers are compared."""
        return FIRST in self.places

    @property
    def places(self) -> tuple[str, ...]:
        """Return what the prompt names, or what is embedded."""
        if any(self.endpoint.problems()):
            return ()
        prompt, nearest = self.endpoint.prompt, self.endpoint.nearest
        if nearest is not None:
            return tuple(dict.fromkeys(template_features(f"{nearest.template}\n{nearest.against or ''}")))
        return () if prompt is None else template_features(prompt.template)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _short_rules(cls, value: object) -> object:
        criteria = value.get("criteria") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(criteria, list | tuple):
            return value
        return {**value, "criteria": [{"rule": item} if isinstance(item, str) else item for item in criteria]}

    @pydantic.model_validator(mode="after")
    def _can_judge(self) -> Self:
        found = [Issue(file="", path=path, problem=problem) for path, problem in self._misfits()]
        if found:
            raise InputError.from_issues("", found)
        return self

    def _misfits(self) -> Iterator[tuple[str, Text]]:
        nearest = self.endpoint.nearest
        if self.endpoint.protocol not in PROMPTED and (nearest is None or nearest.against is None):
            yield "endpoint.protocol", text("judge.needs_words", found=self.endpoint.protocol)
            return
        misfits = [(f"endpoint.{path}", problem) for path, problem in self.endpoint.problems()]
        if misfits:
            yield from misfits
            return
        named = {ANSWER, FIRST, SECOND} & set(self.places)
        if named != {ANSWER} and (nearest is not None or named != {FIRST, SECOND}):
            where = "prompt" if nearest is None else "nearest"
            yield f"endpoint.{where}.template", text("judge.no_answer_named")
        if self.scale[0] >= self.scale[1]:
            yield "scale", text("judge.no_scale")
        for index, criterion in enumerate(self.criteria):
            rule = criterion.parsed()
            if rule.measure not in RULES or str(rule.plain) != str(rule):
                yield f"criteria[{index}].rule", text("judge.criterion", rule=criterion.rule)


class CriterionAlone(Part):
    """What the judge by itself would have said of a criterion: no evidence, and no verdict."""

    rule: str
    value: float
    passes: bool


class Calibration(Part):
    """How far a judge agrees with people, on cases that were drawn at random. By itself it proves nothing."""

    cases: int
    asked: int
    """Cases that have an answer to be judged."""
    unscored: dict[str, int]
    """Cases without a score, by what came instead."""
    drawn: int
    labelled: int
    """Of those drawn, in their order, until the first that is open."""
    left_out: int
    """Labels that stand behind the first open one."""
    agreement: float | None
    """Share of labelled cases of which judge (from 0.5 on: right) and people say the same."""
    kappa: float | None
    """Cohen's; none where people, or the judge, say one thing only."""
    bias: float | None
    """Mean score less the share that people call right, on labelled cases: above 0 the judge is too kind."""
    too_kind: int
    """Labelled cases that the judge calls right and people wrong."""
    too_strict: int
    order_matters: float | None = None
    """Of a comparison, the share of cases of which the judge says another thing when the two change places."""
    alone: tuple[CriterionAlone, ...]
    order_seed: int
    """By which cases were drawn, and by which they are decided."""
    commitment: str
    """SHA-256 of the secret from which the seed follows, fixed before the judge was asked."""
    secret: str
