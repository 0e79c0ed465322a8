"""Descriptions under way and measurements as programs are told of them, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from pilotbase.documents.api.datasets import Measuring as MeasuringTold
from pilotbase.documents.api.shapes import ProblemIssue
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.api.uploads import DescriptionTold, GuessTold, OpenDescription, QuestionTold
from pilotbase.documents.described import Described, Guessed, OpenQuestion
from pilotbase.documents.errors import Issue
from pilotbase.documents.texts import Language, sentence
from pilotbase.documents.visible_text import make_visible
from pilotbase.worker.datasets.describing import DescribingOrder, DescriptionProgress
from pilotbase.worker.datasets.measuring import MeasuringProgress
from pilotbase.worker.datasets.owner_jobs import FileRefusal
from pilotbase.worker.progress import told
from pilotbase.workspace.jobs import Job


def description_told(found: DescriptionProgress, reader: Language) -> DescriptionTold:
    """Return a description under way with everything that was found."""
    described = found.described
    return DescriptionTold(
        **order_told(found.order).model_dump(),
        answers=found.order.answers,
        progress=_progress(found.job, reader),
        refused=_refused(found.refusal, reader),
        problems=_problems(found.refusal.issues if found.refusal else (), reader),
        dataset=described.dataset if described else None,
        **(_found(described, reader) if described else _NOTHING),
    )


def order_told(order: DescribingOrder) -> OpenDescription:
    """Return what is told of a description under way in a list."""
    return OpenDescription(identity=order.identity, files=list(order.names), round=order.round)


def measuring_told(found: MeasuringProgress, reader: Language) -> MeasuringTold:
    """Return how far a measurement is, and what came of the last one."""
    return MeasuringTold(
        progress=_progress(found.job, reader),
        refused=_refused(found.refusal, reader),
        problems=_problems(found.refusal.issues if found.refusal else (), reader),
        report=found.report,
    )


_NOTHING: dict[str, list[object]] = {
    name: [] for name in ("guesses", "findings", "questions", "units", "missing", "changed")
}


def _found(described: Described, reader: Language) -> dict[str, list[object]]:
    return {
        "guesses": [_guess(one, reader) for one in described.guesses],
        "findings": list(_problems(described.findings, reader)),
        "questions": [_question(one, reader) for one in described.questions],
        "units": list(described.units),
        "missing": list(described.missing),
        "changed": [one.render(reader, make_visible) for one in described.changed],
    }


def _guess(one: Guessed, reader: Language) -> GuessTold:
    ground = one.ground.render(reader, make_visible)
    return GuessTold(place=one.place, part=one.part, value=one.value, ground=ground, sure=one.sure)


def _question(one: OpenQuestion, reader: Language) -> QuestionTold:
    asked = one.asked.render(reader, make_visible)
    return QuestionTold(answer=one.answer, asked=asked, guessed=one.guessed, several=one.several)


def _progress(job: Job, reader: Language) -> TrialProgress:
    found = told(job)
    stage, reason = (text and text.render(reader, make_visible) for text in (found.stage, found.reason))
    return TrialProgress(state=found.state, position=found.position, stage=stage, reason=reason)


def _refused(refusal: FileRefusal | None, reader: Language) -> str | None:
    return None if refusal is None else sentence(refusal.problem, reader, make_visible)


def _problems(issues: Iterable[Issue], reader: Language) -> list[ProblemIssue]:
    return [
        ProblemIssue(
            path=make_visible(one.path),
            code=one.problem.code,
            detail=one.say(reader, make_visible),
            file=make_visible(one.file),
            line=one.line,
        )
        for one in issues
    ]
