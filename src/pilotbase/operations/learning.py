"""Courses: what everybody may read of them, what a learner does, and the badge."""

from __future__ import annotations

from typing import Annotated

import pydantic

from pilotbase.documents.api.shapes import SHORT, RequestModel
from pilotbase.documents.api.trials import SignedBadge
from pilotbase.documents.base import Name, Sentence
from pilotbase.documents.course import LONGEST_ANSWERS, CourseFigures, CourseTold
from pilotbase.documents.files import File
from pilotbase.documents.hashes import HEX
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.operations.operation import NOTHING, PATH, Callers, NoInput, Operation, Repeated

MOST_ENTRIES = 10_000


class OfCourse(RequestModel):
    """Which course."""

    course: Annotated[Name, PATH]


class OfStep(OfCourse):
    """Which step of a course."""

    part: Annotated[Name, PATH]


class QuizAnswers(OfStep):
    """The number of the chosen option for each question, in their order."""

    choices: tuple[int, ...] = pydantic.Field(min_length=1, max_length=50)


class OfDraw(OfCourse):
    """Which draw of a learner."""

    number: Annotated[int, pydantic.Field(ge=1, le=MOST_ENTRIES), SHORT, PATH]


class DrawAnswers(OfDraw):
    """The answers to all cases of a draw, a line ``case,answer`` each."""

    answers: str = pydantic.Field(min_length=1, max_length=LONGEST_ANSWERS)


class OfBadge(RequestModel):
    """Which badge, by the end of its identifier, and why it is withdrawn."""

    badge: Annotated[str, pydantic.StringConstraints(pattern=f"^{HEX}$"), PATH]
    reason: Sentence


_COURSE, _HARMLESS = "/courses/{course}", Repeated.HARMLESS
LIST = Operation("learning.list", "GET /courses", NoInput, list[CourseTold], callers=Callers.EVERYBODY)
SHOW = Operation("learning.show", f"GET {_COURSE}", OfCourse, CourseTold, callers=Callers.EVERYBODY)
EXAMPLES = Operation("learning.examples", f"GET {_COURSE}/examples", OfCourse, File, callers=Callers.EVERYBODY)
START = Operation("learning.start", f"POST {_COURSE}/start", OfCourse, CourseTold, repeated=_HARMLESS)
QUIZ = Operation(
    "learning.quiz",
    f"POST {_COURSE}/steps/{{part}}/answers",
    QuizAnswers,
    CourseTold,
    repeated=_HARMLESS,
    example={"choices": [2, 1, 2]},
)
PRACTISE = Operation(
    "learning.practise", f"POST {_COURSE}/steps/{{part}}/draws", OfStep, CourseTold, repeated=_HARMLESS
)
TRY = Operation("learning.try", f"POST {_COURSE}/draws", OfCourse, CourseTold, repeated=_HARMLESS)
CASES = Operation("learning.cases", f"GET {_COURSE}/draws/{{number}}/cases", OfDraw, File, refuses=frozenset({409}))
ANSWER = Operation(
    "learning.answer",
    f"POST {_COURSE}/draws/{{number}}/answers",
    DrawAnswers,
    CourseTold,
    repeated=_HARMLESS,
    example={"answers": "case,failure\n1,0\n2,1\n3,0\n"},
)
BADGE = Operation(
    "learning.badge",
    f"POST {_COURSE}/badge",
    OfCourse,
    SignedBadge,
    only="the learner who has finished it",
    repeated=Repeated.ANEW,
)
ERASE = Operation("learning.erase", "DELETE /learning", NoInput, NOTHING, repeated=_HARMLESS)
FIGURES = Operation(
    "learning.figures",
    f"GET {_COURSE}/figures",
    OfCourse,
    CourseFigures,
    who=ReadScope.OVERVIEW,
)
WITHDRAW = Operation(
    "learning.withdraw",
    "POST /badges/{badge}/withdrawal",
    OfBadge,
    NOTHING,
    who=DeskAct.BADGES,
    repeated=_HARMLESS,
    example={"reason": "The cases were answered by somebody else."},
)
