"""Judge 评判模型: a language model of the base's operator that scores answers, frozen before its first use.

A judge's score is never used as is: people label randomly drawn cases, and their labels correct it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import pydantic

from pilotbase.documents.base import Document, Part, short_form
from pilotbase.documents.contract import ARRAYS
from pilotbase.documents.criteria import Rule
from pilotbase.documents.endpoint import PROMPTED, Endpoint, template_features
from pilotbase.documents.errors import offer
from pilotbase.documents.probes import MODEL, PANEL, PanelJudge
from pilotbase.documents.scenario import Criterion, Scenario
from pilotbase.documents.texts import Text, text

ANSWER, REFERENCE, FIRST, SECOND = "answer", "reference", "first", "second"
"""Placeholders of the prompt: the answer and the true answer; for a comparison, the two answers compared."""
RULES = ("accuracy", "error_rate")
"""Measures of whether a case is right, which is what people label."""


class Judge(Document, published=True):
    """How answers are scored, and the criterion that is decided on the scores.

    The prompt names columns of the cases (``{question}``), ``{reference}``, and either ``{answer}``, or ``{first}`` and
    ``{second}``: the latter compare the answer with the baseline's, in both orders.
    """

    document: Literal["judge/1"] = "judge/1"
    endpoint: Endpoint
    """Hosted by the base's operator, or open to it on its own terms: what is judged is sent there.

    An embedding model judges by how near the answer is to another text: ``nearest: {template: "{answer}", against:
    "{reference}"}``.
    """
    scale: tuple[float, float] = (0.0, 1.0)
    """The worst and the best score; for a comparison, entirely for the second and entirely for the first. With
    embeddings, scores beyond either end count as that end: with many models, unlike texts score near 0.7."""
    criteria: tuple[Annotated[Criterion, short_form("rule")], ...] = pydantic.Field(min_length=1, max_length=10)
    """On the share of answers that people call right: ``accuracy >= 0.9``; for a comparison, the share they prefer."""
    alpha: float = pydantic.Field(default=0.05, gt=0, lt=1)
    weight: float = pydantic.Field(default=0.75, ge=0, le=1)
    """Weight of the scores (λ): low for a poor judge."""
    group: int | None = pydantic.Field(default=None, ge=1, le=99)
    """Unlabelled cases compared with each labelled one, if a criterion is about the population; 9 when not set."""
    missing: float = pydantic.Field(default=0.0, ge=0, le=1)
    """The score, between 0 and 1, for a case that the judge did not score."""

    @property
    def compares(self) -> bool:
        """Return whether two answers are compared."""
        return FIRST in self.places

    @property
    def places(self) -> tuple[str, ...]:
        """Return the placeholders of the prompt, or of the embedded texts."""
        if any(self.endpoint.problems()):
            return ()
        prompt, nearest = self.endpoint.prompt, self.endpoint.nearest
        if nearest is not None:
            return tuple(dict.fromkeys(template_features(f"{nearest.template}\n{nearest.against or ''}")))
        return () if prompt is None else template_features(prompt.template)

    def _problems(self) -> Iterator[tuple[str, Text]]:
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


def judge_of(terms: PanelJudge) -> Judge:
    """Return the judge of a trial's panel, with a criterion that is not read; its problems are not checked."""
    return Judge.model_construct(
        endpoint=terms.endpoint, scale=terms.scale, criteria=(Criterion(rule="accuracy >= 0.5"),)
    )


def panel_judge_problems(scenario: Scenario, cases: int | None = None) -> Iterator[tuple[int | None, Text]]:
    """Yield (index of a criterion or None, problem) of a scenario's panel and its judge, with ``cases`` an attempt."""
    panel = scenario.trial.panel
    terms = None if panel is None else panel.judge
    for index, criterion in enumerate(scenario.criteria):
        rule = criterion.parsed()
        named = tuple(rule.arguments.get(name) for name in ("by", "scores"))
        if "scores" in rule.arguments and (
            terms is None or named != (PANEL, MODEL) or rule.wrapper is not None or criterion.unit != "case"
        ):
            yield index, text("judge.panel_rule", rule=criterion.rule)
        else:
            yield from ((index, problem) for problem in _verdict_problems(scenario, rule))
    if panel is None or terms is None:
        return
    judge = judge_of(terms)
    yield from ((None, problem) for _, problem in judge._problems())
    fields = () if scenario.world is not None else scenario.feature_fields
    seen = [ANSWER, *(field.name for field in fields if field.data_type not in ARRAYS)]
    arrays = {field.name for field in fields if field.data_type in ARRAYS}
    for name in judge.places:
        if name in arrays:
            yield None, text("judge.panel_image", found=name, allowed=", ".join(seen))
        elif name not in seen:
            yield None, text("judge.panel_place", found=name, allowed=offer(name, seen))
    if cases is not None and (panel.cases is None or 2 * panel.cases > cases):
        yield None, text("judge.panel_sample", most=cases // 2)


def _verdict_problems(scenario: Scenario, rule: Rule) -> Iterator[Text]:
    """Yield why no expert's verdicts decide ``rule``, if it is about verdicts."""
    by, own = rule.arguments.get("by"), {field.name for field in scenario.data.fields}
    if PANEL in rule.arguments.values():
        if scenario.trial.panel is None:
            yield text("trial.no_panel", rule=str(rule))
        if rule.under is not None:
            yield text("trial.panel_under", rule=str(rule))
    elif rule.measure == "judged" and (scenario.world is not None or (by == MODEL and by not in own)):
        yield text("judge.panel_alone", rule=str(rule))


class CriterionAlone(Part):
    """What the judge alone would have said about a criterion: neither evidence nor a verdict."""

    rule: str
    value: float
    passes: bool


class Calibration(Part):
    """How far a judge agrees with people on randomly drawn cases. By itself it proves nothing."""

    cases: int
    asked: int
    """Cases with an answer to judge."""
    unscored: dict[str, int]
    """Cases without a score, by what the judge returned instead."""
    drawn: int
    labelled: int
    """Labelled cases among those drawn, in order, up to the first without a label."""
    left_out: int
    """Labels after the first case without one."""
    agreement: float | None
    """Share of labelled cases on which judge (right from 0.5 on) and people agree."""
    kappa: float | None
    """Cohen's kappa; None if people, or the judge, always say the same."""
    bias: float | None
    """Mean score minus the share that people call right, on labelled cases: above 0 the judge is too kind."""
    too_kind: int
    """Labelled cases that the judge calls right and people call wrong."""
    too_strict: int
    order_matters: float | None = None
    """For a comparison, the share of cases in which the judge changes its mind when the two are swapped."""
    alone: tuple[CriterionAlone, ...]
    order_seed: int
    """Seed of the order in which cases were drawn and are decided."""
    commitment: str
    """SHA-256 of the secret from which the seed follows, fixed before the judge was asked."""
    secret: str
