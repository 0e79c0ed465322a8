"""Everything that a template says in one language: texts, names, and charts with their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import groupby

from markupsafe import Markup

from pilotbase.charts.boxed_image import boxed_image, format_box
from pilotbase.charts.confidence_sequence import confidence_sequence_chart
from pilotbase.charts.criterion import criterion_chart, group_chart
from pilotbase.charts.latency import latency_chart, load_blocks_chart
from pilotbase.charts.marks import verdict_strip
from pilotbase.charts.scales import format_number
from pilotbase.documents.base import Localized, localized
from pilotbase.documents.criteria import UNITS, Rule, parse_rule
from pilotbase.documents.figures import ShownCase
from pilotbase.documents.probes import LoadFigures
from pilotbase.documents.report import BlindScore, CriterionResult, GroupScore, PathPoint, Performance, Report, Section
from pilotbase.documents.standards import ConformityRow
from pilotbase.documents.texts import Language, Text, text
from pilotbase.measures import spoken
from pilotbase.trial.page.pictures import Picture, pictures_of

SHOWN_POINTS = 12


@dataclass(frozen=True)
class ReportWording:
    """The report's words in ``language``; its methods are what templates call."""

    language: Language

    def t(self, code: str, /, **params: object) -> str:
        """Return our own sentence ``code``; raises `KeyError` when a catalogue lacks it."""
        return text(code, **params).render(self.language)

    def say(self, sentence: Text) -> str:
        """Return a sentence that a report carries, or its code and values where the catalogue lacks it."""
        try:
            return sentence.render(self.language)
        except (KeyError, IndexError, ValueError):
            values = ", ".join(f"{name}={value}" for name, value in sentence.params.items())
            return f"{sentence.code} ({values})" if values else sentence.code

    def outcome(self, value: str) -> str:
        """Return the name of an outcome."""
        return self._name("outcome.", value)

    def verification(self, value: str) -> str:
        """Return the name of one of the five verifications."""
        return self._name("verification.", value)

    def estimand(self, value: str) -> str:
        """Return what a score is about."""
        return self._name("estimand.", value)

    def sector(self, value: str) -> str:
        """Return the name of a sector."""
        return self._name("sector.", value)

    def unit(self, value: str) -> str:
        """Return the name of an independent unit; a column stays as it is."""
        return self._name("evidence.unit.", value)

    def guarantee(self, value: str) -> str:
        """Return the name of a kind of guarantee."""
        return self._name("evidence.guarantee.", value)

    def answer(self, value: str) -> str:
        """Return what an application answers."""
        return self._name("report.contract.kind.", value)

    def level(self, value: str) -> str:
        """Return what an isolation level means."""
        return self._name("report.isolation.level.", value)

    def end(self, value: str) -> str:
        """Return why a box ended."""
        return self._name("box.end.", value)

    def start(self, value: str) -> str:
        """Return how a box was started."""
        return self._name("report.isolation.start.", value)

    def memory_watch(self, value: str) -> str:
        """Return who watched a box's memory."""
        return self._name("report.isolation.memory_watch.", value)

    def protocol(self, value: str) -> str:
        """Return what an endpoint speaks."""
        return self._name("report.endpoint.protocol.", value)

    def money(self, amount: Decimal, currency: str | None) -> str:
        """Return an amount of money, without trailing zeros except for two decimal places."""
        digits = max(2, -int(amount.normalize().as_tuple().exponent))
        return f"{amount:,.{digits}f} {currency or ''}".rstrip()

    def conformity(self, value: str) -> str:
        """Return the name of an outcome of the conformity matrix."""
        return self._name("standard.outcome.", value)

    def wire_form(self, value: str) -> str:
        """Return the name of the message format."""
        return self._name("exchange.form.", value)

    def sending(self, value: str) -> str:
        """Return how messages were sent."""
        return capital(self._name("exchange.sending.", value))

    def standard_status(self, value: str) -> str:
        """Return the legal basis of a requirement."""
        return self._name("standard.status.", value)

    def vouched_by(self, value: str) -> str:
        """Return who vouches for a row of the conformity matrix."""
        return self._name("standard.vouched_by.", value)

    def aligned(self, row: ConformityRow) -> str:
        """Return source and clause of a row, as *aligned with*."""
        if row.clause:
            return self.t("standard.aligned_at", source=row.source, clause=row.clause)
        return self.t("standard.aligned", source=row.source)

    def own(self, sentence: Localized | str) -> str:
        """Return a user's text, in this language if available."""
        return localized(sentence, self.language)

    def _name(self, prefix: str, value: str) -> str:
        try:
            return text(prefix + value).render(self.language)
        except KeyError:
            return value

    def claim(self, result: CriterionResult, evidence: bool) -> Text:
        """Return the claim of a criterion's figures; a rehearsal's scores are only about the public sample."""
        if evidence or result.guarantee == "measured_run":
            return result.claim
        used = 0 if result.scored is None else result.scored
        return text("report.rehearsal.claim", used=used, unit=result.claim.params.get("unit") or result.unit)

    @staticmethod
    def blind(report: Report) -> dict[str, BlindScore]:
        """Return the best score of a program that reads no feature, by rule."""
        return {one.rule: one for one in report.blind or ()}

    def finding(self, sentence: Text, evidence: bool) -> Text:
        """Return a finding's sentence; a rehearsal has looked at public cases only."""
        if evidence or sentence.code != "trial.finding.contract":
            return sentence
        return Text(code="report.rehearsal.contract", params=sentence.params)

    def spoken(self, result: CriterionResult, unit: str = "") -> str:
        """Return a criterion in words, such as *Recall of “failure” at least 0.800*; ``unit`` is the answers' unit."""
        return self._spoken(parse_rule(result.rule), result.unit_label, unit)

    def spoken_rule(self, source: str) -> str:
        """Return a rule in words before anything was measured; raises as `parse_rule`."""
        rule = parse_rule(source)
        return self._spoken(rule, UNITS[rule.unit][0] if rule.unit else "", "")

    def _spoken(self, rule: Rule, of_threshold: str, unit: str) -> str:
        code = "report.rule.at_least" if rule.comparison == ">=" else "report.rule.at_most"
        threshold = _spelled_threshold(rule.threshold, of_threshold)
        return capital(self.t(code, measure=spoken(rule, unit), threshold=threshold))

    def strip(self, sections: Sequence[Section], *, stacked: bool) -> Markup:
        """Return the verdict strip."""
        return _markup(verdict_strip(sections, self.language, stacked=stacked))

    def criterion_chart(self, result: CriterionResult) -> Markup:
        """Return score, interval, threshold and baseline."""
        return _markup(criterion_chart(result, self.language))

    def sequence_chart(self, result: CriterionResult) -> Markup:
        """Return the confidence sequence; empty without a path."""
        return _markup(confidence_sequence_chart(result, self.language))

    def group_chart(self, scores: Sequence[GroupScore]) -> Markup:
        """Return the scores by group."""
        return _markup(group_chart(scores, self.language))

    def latency_chart(self, performance: Performance) -> Markup:
        """Return the latency distribution; empty without a histogram."""
        return _markup(latency_chart(performance, self.language))

    def load_blocks_chart(self, figures: LoadFigures) -> Markup:
        """Return latency block by block; empty where there is one block."""
        return _markup(load_blocks_chart(figures, self.language))

    def pictures(self, report: Report) -> list[Picture]:
        """Return the report's figures as pictures."""
        unit = report.contract.prediction.unit or ""
        return [picture for figure in report.figures or () for picture in pictures_of(figure, self.language, unit)]

    def case_image(self, case: ShownCase) -> Markup:
        """Return the image of a case with its boxes."""
        if case.image is None:
            return Markup()
        title = self.t("picture.cases.image", number=case.number)
        return _markup(boxed_image(case.image, case.boxes, title, self.language))

    def case_result(self, case: ShownCase) -> str:
        """Return in a word whether the answer of a case is the truth."""
        return self.t(f"picture.cases.result.{case.result}")

    def case_boxes(self, case: ShownCase) -> list[str]:
        """Return the boxes of a case in words."""
        return [format_box(box, self.language) for box in case.boxes]

    def case_scores(self, case: ShownCase) -> list[str]:
        """Return the score of each criterion's measure on one case."""
        return [f"{score.rule}: {score.value:.4g}" for score in case.scores]

    @staticmethod
    def drawn(picture: Picture) -> Markup:
        """Return the drawing of a picture."""
        return _markup(picture.svg)

    @staticmethod
    def by_measure(scores: Iterable[GroupScore]) -> list[list[GroupScore]]:
        """Return the scores, one list for each column and measure; groups that are all numbers in their order."""
        found = groupby(scores, key=lambda score: (score.column, score.measure))
        return [_in_order(list(of_measure)) for _, of_measure in found]

    @staticmethod
    def by_profile(rows: Iterable[ConformityRow]) -> list[list[ConformityRow]]:
        """Return the conformity matrix, one list for each profile."""
        return [list(of_profile) for _, of_profile in groupby(rows, key=lambda row: row.profile)]

    @staticmethod
    def any_score_off_its_bounds(results: Iterable[CriterionResult]) -> bool:
        """Return whether a score is at or outside bounds that were narrowed while cases were scored."""
        return any(_off_its_bounds(result) for result in results)

    @staticmethod
    def picked(path: Sequence[PathPoint]) -> list[PathPoint]:
        """Return at most so many points of a path, evenly spread, the last one included."""
        if len(path) <= SHOWN_POINTS:
            return list(path)
        last = len(path) - 1
        return [path[round(index * last / (SHOWN_POINTS - 1))] for index in range(SHOWN_POINTS)]


def capital(sentence: str) -> str:
    """Return ``sentence`` with its first letter as a capital; 中文 stays as it is."""
    return sentence[:1].upper() + sentence[1:]


def _spelled_threshold(threshold: Decimal, unit: str) -> str:
    """Return a threshold with all its digits: a whole number as one, else at least three decimals below ten."""
    if unit in ("s", "B"):
        return format_number(float(threshold), unit)
    plain = threshold.normalize()
    decimals = max(0, -int(plain.as_tuple().exponent))
    if not unit and decimals and abs(threshold) < 10:
        decimals = max(3, decimals)
    return f"{plain:,.{decimals}f} {unit}".rstrip()


def _in_order(scores: list[GroupScore]) -> list[GroupScore]:
    try:
        numbers = {score.group: Decimal(score.group) for score in scores}
    except InvalidOperation:
        return scores
    if not all(number.is_finite() for number in numbers.values()):
        return scores
    return sorted(scores, key=lambda score: numbers[score.group])


def _off_its_bounds(result: CriterionResult) -> bool:
    lower, score, upper = result.lower, result.estimate, result.upper
    if score is None or result.guarantee == "measured_run" or lower == upper:
        return False
    return (lower is not None and score <= lower) or (upper is not None and score >= upper)


def _markup(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - built as an XML tree by pilotbase.charts, which escapes
