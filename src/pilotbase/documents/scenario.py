"""Scenario 场景: a real problem with data contract, baseline, acceptance criteria, trial terms, value, workforce."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Day, Document, Localized, Name, Part, Step, Suppliers, needed_for
from pilotbase.documents.contract import (
    LONGEST_TRANSCRIPT,
    TARGETS,
    TASKS,
    WITH_CLASSES,
    WITH_POSITIVE,
    AnswerKind,
    Contract,
    DataType,
    Field,
    Prediction,
    TargetForm,
    Task,
)
from pilotbase.documents.criteria import LONGEST_RULE, Rule, TrialDesign, parse_rule
from pilotbase.documents.door import ModelDoor
from pilotbase.documents.endpoint import HourPrice
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.exchanges import Exchanges
from pilotbase.documents.limits import IsolationLevel, Limits
from pilotbase.documents.probes import Contamination, ExpertPanel, LoadTest, Matrix
from pilotbase.documents.scenario_data import EPISODES, GroupSplit, HashSplit, Label, ScenarioData, TimeSplit
from pilotbase.documents.standards import StandardUses
from pilotbase.documents.subjects import Subject, scenario_subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import SUBHEADS, Action, Estimand, Grain, RiskLevel, Sector, SubHead, Support
from pilotbase.documents.world import WorldUse

LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
"""A language such as ``zh`` or ``en`` (ISO 639)."""
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
"""A country or a part of one, such as ``CN`` or ``CN-31`` (ISO 3166)."""


_NOT_IN_A_WORLD = ("board", "load_test", "matrix", "exchanges", "contamination", "delivery")
"""Terms about answers to cases: a world has none."""
LONGEST_COSTS = LONGEST_RULE - 50
"""Maximum characters: the criterion that follows from them has a threshold as well."""
_MOST_COMPARED = 20
"""Maximum unknown columns that get suggestions: for thousands, finding what was meant would take too long."""


class Contact(Part):
    """An organisation and how to reach it."""

    organisation: Name
    contact: str = pydantic.Field(default="", max_length=200)


class ColumnBaseline(Part):
    """People's past decisions, recorded in a column (withheld from applications)."""

    kind: Literal["column"] = "column"
    column: str


class RuleBaseline(Part):
    """A rule in force today, such as ``torque > 60 or tool_wear > 200``: true means the positive class."""

    kind: Literal["rule"] = "rule"
    rule: str


class ConstantBaseline(Part):
    """Always the same answer."""

    kind: Literal["constant"] = "constant"
    value: float | Label


class ReferenceBaseline(Part):
    """In a scenario with a world: a player that does nothing, or guesses."""

    kind: Literal["reference"] = "reference"
    player: Literal["idle", "random"] = "idle"


class ApplicationBaseline(Part):
    """A reference application, run in the same box on the same cases."""

    kind: Literal["application"] = "application"
    path: str


Baseline = Annotated[
    ColumnBaseline | RuleBaseline | ConstantBaseline | ApplicationBaseline | ReferenceBaseline,
    pydantic.Field(discriminator="kind"),
]


class Costs(Part):
    """The cost of errors to the owner, from which thresholds are proposed: of a miss and of a false alarm; of three
    classes or more, of each mistake instead."""

    miss: float | None = pydantic.Field(default=None, ge=0, le=1e15)
    false_alarm: float | None = pydantic.Field(default=None, ge=0, le=1e15)
    mistakes: str | None = pydantic.Field(default=None, max_length=LONGEST_COSTS)
    """Spelled as in a rule: ``severe as none=500, severe as *=200, * as *=5``."""
    currency: str = "CNY"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        pair = (self.miss, self.false_alarm)
        if (None in pair) if self.mistakes is None else (pair != (None, None)):
            raise InputError("scenario.costs_one_way")
        _ = self.rule
        return self

    @property
    def rule(self) -> Rule | None:
        """Return what mistakes cost as a rule that any cost meets; None where misses and false alarms have costs."""
        return None if self.mistakes is None else read_mistakes(self.mistakes)

    @property
    def count(self) -> bool:
        """Return whether thresholds can follow from them: both errors cost something, or each mistake has its cost."""
        return self.mistakes is not None or bool(self.miss and self.false_alarm)


def read_mistakes(spelled: str) -> Rule:
    """Return a rule on what mistakes cost, without a threshold of its own; raises `InputError`: it cannot be read."""
    parts = filter(None, (one.strip() for one in re.split("[,，;；\n]", spelled.replace("＝", "="))))
    found = parse_rule(f"cost({', '.join(parts)}) <= 0")
    if not found.mistakes or len(found.mistakes) < len(found.arguments) or found.label is not None:
        raise InputError("scenario.mistakes_unread", found=spelled)
    return found


class Criterion(Part):
    """One acceptance criterion as code, with what its claim refers to."""

    rule: str
    estimand: Estimand = Estimand.HIDDEN_SET
    unit: Label = "case"
    """``case``, or the column whose values are the independent units (patient, machine, day)."""
    confidence: float = pydantic.Field(default=0.95, gt=0.5, le=1 - 1e-9)
    margin: float | None = pydantic.Field(default=None, gt=0)
    """How much worse than a certified version a later version may be, in the measure's unit; when not set, a later
    version meets the criterion by itself."""
    why: Localized | str | None = None

    @model_validator(mode="after")
    def _rule_reads(self) -> Self:
        self.parsed()
        return self

    def parsed(self) -> Rule:
        """Return the rule, parsed."""
        return parse_rule(self.rule)


Criteria = Annotated[tuple[Criterion, ...], pydantic.Field(max_length=100)]
"""At most a hundred criteria."""


class Approval(Part):
    """An approval that the scenario needs (ethics, data, filing) and, once granted, its reference."""

    kind: Name
    reference: str | None = None
    until: Day | None = None


class BoardTerms(Part):
    """A board 排行榜: suppliers compare on a slice of the hidden cases that certifies nothing."""

    measure: str = pydantic.Field(min_length=1, max_length=200)
    """A measure as in a criterion, without comparison: ``accuracy``, ``recall(failure)``, ``capped_mae(cap=10)``."""
    share: float = pydantic.Field(default=0.1, gt=0, le=0.5)
    """Share of the hidden cases set aside for the board permanently."""
    submissions: int = pydantic.Field(default=50, ge=1, le=10_000)
    """Maximum application versions per supplier."""
    entries: int | None = pydantic.Field(default=None, ge=1, le=100_000)
    """Maximum application versions of all suppliers together; 100 when not set."""
    improvements: int | None = pydantic.Field(default=None, ge=1, le=100)
    """How many improvements are shown before the board ends; 5 when not set."""

    @property
    def in_all(self) -> int:
        return self.entries or 100

    @property
    def shown(self) -> int:
        return self.improvements or 5


class TrialTerms(TrialDesign):
    """The terms on which a trial runs."""

    attempts: int = pydantic.Field(default=10, ge=1, le=1000)
    """Attempts on one hidden-set version, by all suppliers together."""
    suppliers: Suppliers | None = None
    """The only suppliers admitted: the error probability is split equally among them, and each one's attempts are
    counted separately; when not set, any supplier, and all attempts share it."""
    cases_per_attempt: int | None = pydantic.Field(default=None, ge=1, le=10**9)
    """Fresh hidden cases reserved for one attempt; all that are left when not set."""
    isolation: IsolationLevel = IsolationLevel.L2
    limits: Limits = Limits.model_construct()
    batch_rows: int = pydantic.Field(default=1024, ge=1, le=65_536)
    """Maximum cases per batch."""
    delivery: Literal["in_time"] | None = None
    """Deliver cases in the order of the time column that splits them; in a secret order when not set."""
    approvals: tuple[Approval, ...] = ()
    repeats: int | None = pydantic.Field(default=None, ge=2, le=50)
    """How often each case is asked, if an application's answers vary; once when not set."""
    asked_again: int | None = pydantic.Field(default=None, ge=0, le=10_000)
    """Cases asked again alone, to show that no answer depends on other cases; when not set 150, none of an endpoint."""
    board: BoardTerms | None = None
    """No board when not set."""
    load_test: LoadTest | None = None
    """The additional load test; none when not set."""
    matrix: Matrix | None = None
    """Further environments in which it must answer as in the trial; none when not set."""
    exchanges: Exchanges | None = None
    """Recorded messages of the field to replay with faults; none when not set."""
    processor_hour: HourPrice | None = None
    """Price of a box's CPU time, for criteria such as ``cost.cny <= 2 CNY``."""
    contamination: Contamination | None = None
    """The check whether a language model has already seen the cases; not done when not set."""
    panel: ExpertPanel | None = None
    """Who judges the answers, for criteria such as ``judged(by=panel) >= 0.9``; no panel when not set."""
    reuse: bool = False
    """Score previously scored cases again. Refused: every attempt scores fresh cases."""

    @property
    def design(self) -> TrialDesign:
        """Return the rule for the end of scoring."""
        return TrialDesign(stop=self.stop, cases=self.cases, accept_from=self.accept_from)


class Value(Part):
    """What the scenario is worth to the field, 1 (low) to 5 (high)."""

    potential: int = pydantic.Field(ge=1, le=5)
    maturity: int = pydantic.Field(ge=1, le=5)
    driving_effect: int = pydantic.Field(ge=1, le=5)
    note: Localized | str | None = None


class Workforce(Part):
    """Facts for evaluating the effect on employment."""

    occupations: tuple[str, ...] = ()
    people: int | None = pydantic.Field(default=None, ge=0, le=10**10)
    effect: Literal["assists", "changes", "replaces", "creates"] = "assists"
    note: Localized | str | None = None


class Conditions(Part):
    """What an application must comply with, regardless of its scores; what is not set is unknown and refuses nobody."""

    data_may_leave: bool | None = None
    """Whether cases may be sent away from where the application is used."""
    licences: Annotated[tuple[str, ...], pydantic.Field(max_length=50)] | None = None
    """Licences that an application may have, as SPDX expressions; any when not set."""
    languages: tuple[LanguageTag, ...] | None = None
    """Languages of the texts that it must read and write."""
    region: Region | None = None
    """Where the application would be used."""


class Risk(Part):
    """What can happen to people if the application errs, as stated by the owner; a base requires more at high risk."""

    level: RiskLevel
    why: Localized | str


class Scenario(Document, published=True):
    """A scenario, draft or complete; `pilotbase.documents.base` lists what a step still needs."""

    document: Literal["scenario/1"] = "scenario/1"
    name: Name
    title: Localized | str
    owner: Contact
    sector: Sector = Sector.OTHER
    grain: Grain = Grain.SMALL_CUT
    action: Action | None = needed_for(Step.FREEZE)
    subhead: SubHead | None = None
    supports: tuple[Support, ...] = ()
    problem: Localized | str
    intended_use: Localized | str | None = needed_for(Step.FREEZE)
    risk: Risk | None = None
    """Risk of the use; a report says *not measured* if none is stated."""
    data: ScenarioData
    """Filled in for a scenario with a world: episodes are its cases."""
    world: WorldUse | None = None
    """The world in which applications act, in place of ``data``."""
    task: Task
    positive: Label | None = None
    """The class whose misses cost most (if answers are classes)."""
    prediction: AnswerKind | None = None
    """Kind of the answers; when not set, the task's usual one, such as label for classification."""
    longest_answer: int | None = pydantic.Field(default=None, ge=1, le=16 << 20)
    """Maximum bytes of one answer in words; 64 KiB when not set."""
    decision_threshold: float = pydantic.Field(default=0.5, gt=0, lt=1)
    baseline: Baseline | None = needed_for(Step.FREEZE)
    people: ColumnBaseline | None = None
    """People's decisions on the same cases, measured beside the baseline; not measured when not set."""
    costs: Costs | None = None
    criteria: Criteria = needed_for(Step.FREEZE, empty=())
    trial: TrialTerms = TrialTerms.model_construct()
    value: Value | None = None
    workforce: Workforce | None = None
    conditions: Conditions | None = None
    """Constraints that refuse an application before any ranking."""
    demand: Subject | None = None
    """The demand in words that it was made of."""
    standards: StandardUses | None = None
    """Names of the profiles of standards that a trial is checked against."""

    @model_validator(mode="before")
    @classmethod
    def _episodes_are_cases(cls, value: Any) -> Any:
        if not isinstance(value, dict) or value.get("world") is None:
            return value
        return {"data": EPISODES.to_json_value(), "baseline": ReferenceBaseline().to_json_value(), **value}

    stand_ins: ClassVar[Mapping[str, Any]] = {
        "name": "scenario",
        "title": "-",
        "owner": {"organisation": "owner"},
        "problem": "-",
    }
    rests_on: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "scenario.unknown_column": ("data.fields",),
        "scenario.foreign_subhead": ("action",),
        "scenario.target_not_numeric": ("task", "data.fields"),
        "scenario.target_not_text": ("task", "data.fields"),
        "scenario.no_positive_class": ("task",),
        "scenario.no_classes": ("task",),
        "scenario.positive_needed": ("task",),
        "scenario.split_not_in_time": ("task",),
        "scenario.foreign_prediction": ("task",),
        "scenario.no_features": ("data", "baseline", "people"),
        "scenario.exchange_no_feature": ("data", "baseline", "people"),
    }

    @property
    def subject(self) -> str:
        """The scenario's name across all its versions."""
        return scenario_subject(self.owner.organisation, self.name)

    def field(self, name: str) -> Field:
        """Return the field of this name; raises `KeyError`."""
        return {field.name: field for field in self.data.fields}[name]

    @property
    def answer(self) -> AnswerKind:
        """Return the kind of applications' answers."""
        kinds = TASKS[self.task].kinds
        if self.world is not None:
            return "episode"
        return self.prediction if self.prediction in kinds else kinds[0]

    @property
    def door(self) -> ModelDoor | None:
        """Return the model that an application may use in its episodes; None: none."""
        return None if self.world is None else self.world.door

    @property
    def target_form(self) -> TargetForm:
        """Return what the target column holds."""
        return TARGETS[self.answer]

    @property
    def unseen(self) -> frozenset[str]:
        """Return the columns that never enter a box."""
        data, decided = self.data, {column for _, column in self._decision_columns()}
        return frozenset({data.target, *data.withheld} | ({data.key} if data.key else set()) | decided)

    @property
    def delivered_by(self) -> str | None:
        """Return the column that orders the delivery of cases; None: a secret order."""
        split = self.data.split
        return split.column if self.trial.delivery == "in_time" and isinstance(split, TimeSplit) else None

    @property
    def feature_fields(self) -> tuple[Field, ...]:
        """Return the fields that applications see, in contract order."""
        unseen = self.unseen
        return tuple(field for field in self.data.fields if field.name not in unseen)

    def contract(self, classes: tuple[str, ...]) -> Contract:
        """Return the data contract of the box; ``classes`` are the labels found in the public sample, sorted."""
        kind = self.answer
        prediction = Prediction(
            kind=kind,
            classes=classes if kind in WITH_CLASSES else (),
            positive=self.positive if kind == "probability" else None,
            unit=self.field(self.data.target).unit if self.target_form == "numbers" else None,
            longest=self.longest_answer if self.world is None else LONGEST_TRANSCRIPT,
        )
        return Contract(features=self.feature_fields, prediction=prediction)

    def _problems(self) -> Iterator[tuple[str, Text]]:
        names = [field.name for field in self.data.fields]
        first = {name: index for index, name in reversed(list(enumerate(names)))}
        for index, name in enumerate(names):
            if first[name] < index:
                yield f"data.fields[{index}].name", text("scenario.double_field", name=name)
        known, listed = set(names), offer("", names)
        unknown = [(path, column) for path, column in self._column_references() if column not in known]
        for count, (path, column) in enumerate(unknown):
            allowed = offer(column, names) if count < _MOST_COMPARED else listed
            yield path, text("scenario.unknown_column", found=column, allowed=allowed)
        if self.subhead and self.action and self.subhead not in SUBHEADS[self.action]:
            allowed = offer(self.subhead, SUBHEADS[self.action])
            yield "subhead", text("scenario.foreign_subhead", found=self.subhead, allowed=allowed)
        if self.trial.reuse:
            yield "trial.reuse", text("scenario.no_reuse")
        yield from self._task_problems(names)
        yield from self._world_problems()
        features = [field.name for field in self.feature_fields]
        for index, exchange in enumerate(self.trial.exchanges or ()):
            for name in exchange.fields.keys() - set(features):
                allowed = offer(name, features)
                path = f"trial.exchanges[{index}].fields"
                yield path, text("scenario.exchange_no_feature", found=name, allowed=allowed)
        asked = self.trial.contamination
        texts = [field.name for field in self.feature_fields if field.data_type is DataType.TEXT]
        if asked is not None and asked.column not in texts:
            allowed = offer(asked.column, texts)
            yield "trial.contamination.column", text("scenario.no_text_feature", found=asked.column, allowed=allowed)

    def _task_problems(self, names: list[str]) -> Iterator[tuple[str, Text]]:
        task, target = TASKS[self.task], self.data.target
        if self.prediction is not None and self.prediction not in task.kinds:
            allowed = list(task.kinds)
            yield "prediction", text("scenario.foreign_prediction", found=self.prediction, allowed=allowed)
        held = self.field(target).data_type if target in names else None
        if held is not None and self.target_form == "numbers" and held not in (DataType.FLOAT, DataType.INTEGER):
            yield "data.target", text("scenario.target_not_numeric", target=target)
        if held is not None and self.target_form == "texts" and held is not DataType.TEXT:
            yield "data.target", text("scenario.target_not_text", target=target, task=self.task)
        if self.positive is not None and self.answer not in WITH_POSITIVE:
            yield "positive", text("scenario.no_positive_class", task=self.task)
        if self.data.classes is not None and self.target_form != "labels":
            yield "data.classes", text("scenario.no_classes", task=self.task)
        if self.positive is None and task.needs_positive:
            yield "positive", text("scenario.positive_needed", task=self.task)
        if task.in_time and not isinstance(self.data.split, TimeSplit):
            yield "data.split", text("scenario.split_not_in_time", task=self.task)
        if self.trial.delivery == "in_time" and not isinstance(self.data.split, TimeSplit):
            yield "trial.delivery", text("scenario.delivery_not_in_time")
        if not self.feature_fields:
            yield "data.fields", text("scenario.no_features")

    def _world_problems(self) -> Iterator[tuple[str, Text]]:
        plays = isinstance(self.baseline, ReferenceBaseline)
        if self.world is None:
            if self.answer == "episode" or plays:
                yield "world", text("scenario.world_needed")
            return
        if self.task != "agent" or self.data != EPISODES or not plays:
            yield "world", text("scenario.world_alone")
        if self.world.door is not None:
            yield from ((f"world.door.{path}", problem) for path, problem in self.world.door.problems())
        for name in _NOT_IN_A_WORLD:
            if getattr(self.trial, name) is not None:
                yield f"trial.{name}", text("scenario.not_in_a_world", field=name)

    def _column_references(self) -> Iterator[tuple[str, str]]:
        data, split = self.data, self.data.split
        yield "data.target", data.target
        yield from ((f"data.readers[{index}].column", one.column) for index, one in enumerate(data.readers or ()))
        yield from ((f"data.cases_need[{index}]", column) for index, column in enumerate(data.cases_need or ()))
        yield from ((f"data.withheld[{index}]", column) for index, column in enumerate(data.withheld))
        if data.key:
            yield "data.key", data.key
        if isinstance(split, HashSplit) and split.by:
            yield "data.split.by", split.by
        if isinstance(split, GroupSplit | TimeSplit):
            yield "data.split.column", split.column
        yield from self._decision_columns()
        if self.trial.contamination is not None and self.trial.contamination.control is not None:
            yield "trial.contamination.control", self.trial.contamination.control
        for index, criterion in enumerate(self.criteria):
            by = criterion.parsed().by
            if by:
                yield f"criteria[{index}].rule", by
            if criterion.unit != "case":
                yield f"criteria[{index}].unit", criterion.unit

    def _decision_columns(self) -> Iterator[tuple[str, str]]:
        for name, decided in (("baseline", self.baseline), ("people", self.people)):
            if isinstance(decided, ColumnBaseline):
                yield f"{name}.column", decided.column
