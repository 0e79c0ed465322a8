"""Courses and their badges."""

from __future__ import annotations

from pilotbase.data.practice import Drawn
from pilotbase.documents.api.trials import SignedBadge
from pilotbase.documents.course import CourseTold, LearnerStanding, LearningHistory
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.files import File, format_rows
from pilotbase.documents.hashes import digest_of
from pilotbase.operations import learning as declared
from pilotbase.worker import learning
from pilotbase.worker.operations.binding import Caller, does


def _told(history: LearningHistory) -> CourseTold:
    if not history.entries:
        return CourseTold(course=history.course)
    standing = LearnerStanding(
        started_at=history.entries[0].at,
        passed=tuple(name for name in history.course.tested if name in history.passed),
        finished=history.finished,
        attempts=history.attempts,
        earned=history.earned is not None,
        entries=history.entries,
    )
    return CourseTold(course=history.course, standing=standing)


def _table(name: str, drawn: Drawn, with_truth: bool) -> File:
    rows = drawn.rows(with_truth)
    return File.of(name, format_rows([list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]))


does(declared.LIST)(
    lambda caller, asked: [
        _told(learning.history_of(caller.base, caller.view, one)) for one in learning.courses().values()
    ]
)
does(declared.SHOW)(
    lambda caller, asked: _told(learning.history_of(caller.base, caller.view, learning.course_named(asked.course)))
)
does(declared.EXAMPLES)(
    lambda caller, asked: _table(f"{asked.course}-examples.csv", learning.examples_of(asked.course), with_truth=True)
)
does(declared.START)(lambda caller, asked: _told(learning.start(caller.base, caller.view, asked.course)))
does(declared.QUIZ)(
    lambda caller, asked: _told(learning.answer_quiz(caller.base, caller.view, asked.course, asked.part, asked.choices))
)
does(declared.PRACTISE)(lambda caller, asked: _told(learning.draw(caller.base, caller.view, asked.course, asked.part)))
does(declared.TRY)(lambda caller, asked: _told(learning.draw(caller.base, caller.view, asked.course, None)))
does(declared.CASES)(
    lambda caller, asked: _table(
        f"{asked.course}-{asked.number}.csv",
        learning.cases_of(caller.base, caller.view, asked.course, asked.number),
        with_truth=False,
    )
)
does(declared.ANSWER)(
    lambda caller, asked: _told(learning.answer(caller.base, caller.view, asked.course, asked.number, asked.answers))
)
does(declared.ERASE)(lambda caller, asked: learning.erase_record(caller.view))
does(declared.FIGURES)(lambda caller, asked: learning.figures_of(caller.base, caller.view, asked.course))
does(declared.WITHDRAW)(
    lambda caller, asked: learning.withdraw_badge(caller.base, caller.view, digest_of(asked.badge), asked.reason)
)


@does(declared.BADGE)
def badge(caller: Caller, asked: declared.OfCourse) -> SignedBadge:
    """Give the caller the badge that they have earned."""
    email = caller.email_of(caller.view.actor.person) if caller.view.actor.person else None
    if email is None:
        raise RefusedError("certificate.badge.no_account")
    given = learning.give_course_badge(
        caller.base, caller.view, asked.course, email, caller.limits.url, caller.language
    )
    return SignedBadge(credential=given, recipient=email)
