"""``pilotbase learn``: courses with practice on generated cases, and their badges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun
from pilotbase.cli.framework.terminal import each, say
from pilotbase.documents.course import LONGEST_ANSWERS
from pilotbase.documents.texts import text
from pilotbase.operations import learning

if TYPE_CHECKING:
    from pilotbase.documents.course import CourseFigures, CourseTold, LearningEntry

app = Noun()


@app.anywhere("examples")
def examples(course: str, out: Path) -> None:
    """Download the labelled examples of a course as CSV."""
    _save(out, call(learning.EXAMPLES, course=course).content())


@app.anywhere("cases")
def cases(course: str, number: int, out: Path) -> None:
    """Download the cases of a draw as CSV, without labels."""
    _save(out, call(learning.CASES, course=course, number=number).content())


@app.anywhere("badge")
def badge(course: str, out: Path) -> None:
    """Save the badge that you have earned, for your email address."""
    _save(out, call(learning.BADGE, course=course).credential.encode())


def _save(out: Path, content: bytes) -> None:
    from pilotbase.documents.files import write_whole

    write_whole(out, content)
    say(text("learning.saved", file=out))


def _print(found: CourseTold) -> None:
    _print_line(found)
    standing = found.standing
    passed, entries = (standing.passed, standing.entries) if standing is not None else ((), ())
    for one in found.course.steps:
        state = text("learning.passed") if one.name in passed else text(f"learning.step.{one.kind}")
        say(text("learning.step_line", name=one.name, title=one.title, state=state))
    answered = {one.draw for one in entries}
    for entry in entries:
        if entry.kind == "drawn" and entry.number not in answered:
            say(text("learning.open_draw", number=entry.number))
    for last in [one for one in entries if one.verdict][-1:]:
        _print_result(last)


def _print_result(entry: LearningEntry) -> None:
    say(text("learning.verdict_line", number=entry.draw, verdict=text(f"verdict.{entry.verdict}")))
    for rule in entry.rules:
        reached = {"rule": rule.rule, "estimate": rule.estimate, "lower": rule.lower, "upper": rule.upper}
        say(text("learning.rule_line", **reached))
    for part in entry.slices:
        say(text("learning.slice_line", cause=text(f"learning.cause.{part.cause}"), right=part.right, cases=part.cases))


def _print_line(found: CourseTold) -> None:
    course, standing = found.course, found.standing
    passed = f"{len(standing.passed)}/{len(course.tested)}" if standing is not None else "–"
    say(text("learning.line", name=course.name, title=course.title, passed=passed))


def _print_figures(found: CourseFigures) -> None:
    for one in found.figures:
        people = text("learning.too_few") if one.people is None else one.people
        say(text("learning.figure_line", what=one.what, people=people))


def _read(file: Path) -> str:
    from pilotbase.documents.files import read_bounded

    return read_bounded(file, LONGEST_ANSWERS).decode("utf-8", "replace")


_ANSWERS = {"answers": OptionSpelling(positional=True, flag="FILE", kind=Path, read=_read)}
_CHOICES = {"choices": OptionSpelling(positional=True, kind=list[int])}
add(
    app,
    Command("list", learning.LIST, show=each(_print_line)),
    Command("show", learning.SHOW, show=_print),
    Command("start", learning.START, show=_print),
    Command("quiz", learning.QUIZ, show=_print, spelled=_CHOICES),
    Command("practise", learning.PRACTISE, show=_print),
    Command("try", learning.TRY, show=_print),
    Command("answer", learning.ANSWER, show=_print, spelled=_ANSWERS),
    Command("erase", learning.ERASE),
    Command("figures", learning.FIGURES, show=_print_figures),
    Command("withdraw", learning.WITHDRAW),
)
