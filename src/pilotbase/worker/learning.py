"""Courses: what a learner does in them, judged by the engine of trials, and the badge for whoever passes.

A learner's entries belong to the base and hold a pseudonym alone: nobody else of the learner's organisation sees them.
The number of tries for a badge outlives an erased record, so that nobody gains new ones by erasing.
"""

from __future__ import annotations

import hmac
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.certificate.badges import Achievement, BadgeTerms, sign_achievement
from pilotbase.data.practice import PACKS, Drawn, PracticePack
from pilotbase.documents.course import (
    FEWEST_SHOWN,
    Course,
    CourseFigure,
    CourseFigures,
    CourseStep,
    ErrorSlice,
    LearningEntry,
    LearningEntryKind,
    LearningHistory,
    RuleReached,
)
from pilotbase.documents.errors import BarredError, InputError, InvalidProofError
from pilotbase.documents.hashes import Digest, canonical_json, digest_bytes, hex_of
from pilotbase.documents.loading import build_document
from pilotbase.documents.permissions import DeskAct
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Estimand
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.evidence import Decision, Design, Levels, attempt_levels, exact
from pilotbase.measures.cases import Cases
from pilotbase.trial.scoring import NO_RUN, judge
from pilotbase.worker.base import Base
from pilotbase.worker.trials.badges import WithdrawnBadge
from pilotbase.workspace.actors import BASE, require_may_begin
from pilotbase.workspace.checks.proofs import prove_head
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.learners import forget_learner, known_learners, pseudonym_of
from pilotbase.workspace.store import View

_KEY, _KEY_BYTES = "practice.key", 32


@cache
def courses() -> Mapping[str, Course]:
    """Return the courses that come with this software, by name."""
    folder = resources.files("pilotbase.data") / "courses"
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".yaml")), key=lambda one: one.name)
    found = [build_document(Course, parse_yaml(one.read_bytes(), one.name)) for one in files]
    return {one.name: one for one in found}


def course_named(name: str) -> Course:
    """Return a course; raises `NotFoundError`."""
    if name not in courses():
        raise NotFoundError("learning.no_course", name=name)
    return courses()[name]


def history_of(base: Base, view: View, course: Course) -> LearningHistory:
    """Return what the actor has done in a course: nothing yet, if they have not begun."""
    learner = pseudonym_of(view) if view.actor.organisation else None
    if learner is None:
        return LearningHistory(course)
    own = base.lab.view.every(LearningEntry, {"learner": learner, "course": course.name})
    return LearningHistory(course, tuple(one for one in own[::-1] if one.version == course.version))


def start(base: Base, view: View, name: str) -> LearningHistory:
    """Begin a course: the actor consents to a record of it under a pseudonym; begun again, it stays as it is."""
    history = history_of(base, view, course_named(name))
    if history.entries:
        return history
    return _enter(base, history, pseudonym_of(view, make=True) or "", "started")


def answer_quiz(base: Base, view: View, name: str, step: str, choices: Sequence[int]) -> LearningHistory:
    """Note the answers to the questions of a step, each the number of an option.

    Raises:
        NotFoundError: there is no such course, or no such questions in it.
        BarredError: the course has not been begun.
        InputError: not one option for each question.
    """
    history = _begun(base, view, name)
    asked = _step(history.course, step, "quiz").questions
    if len(choices) != len(asked):
        raise InputError("learning.choices", found=len(choices), wanted=len(asked))
    for choice, one in zip(choices, asked, strict=True):
        if not 1 <= choice <= len(one.options):
            raise InputError("learning.no_such_option", found=choice, allowed=len(one.options))
    if step in history.passed:
        return history
    right = sum(choice == one.right for choice, one in zip(choices, asked, strict=True))
    return _enter(base, history, history.entries[0].learner, "quiz", step=step, right=right)


def draw(base: Base, view: View, name: str, step: str | None) -> LearningHistory:
    """Draw new cases for a step, or (None) for the badge; while a draw is open, it stays.

    Raises:
        NotFoundError: there is no such course, or no such practice in it.
        BarredError: the course has not been begun; for the badge also: a step is missing, or it is earned already.
    """
    history = _begun(base, view, name)
    if step is not None:
        _step(history.course, step, "practice")
    elif not history.finished:
        raise BarredError("learning.steps_first")
    elif history.earned is not None:
        raise BarredError("learning.earned")
    if history.open_draw(step) is not None:
        return history
    learner, number = history.entries[0].learner, len(history.entries) + 1
    commitment = digest_bytes(_seed(base, history.course, learner, number))
    attempts = None if step is not None else _attempts(base, view, history.course)
    return _enter(base, history, learner, "drawn", attempts, step=step, commitment=commitment)


def examples_of(name: str) -> Drawn:
    """Return the labelled cases of a course, which are public; raises `NotFoundError`."""
    return _pack(course_named(name)).examples()


def cases_of(base: Base, view: View, name: str, number: int) -> Drawn:
    """Return the cases of a draw.

    Raises:
        NotFoundError: there is no such course, or the actor has no such draw in it.
        InvalidProofError: the key of the base that makes its cases has been replaced.
    """
    history = _begun(base, view, name)
    return _drawn(base, history, _draw(history, number))


def answer(base: Base, view: View, name: str, number: int, said: str) -> LearningHistory:
    """Judge the answers to a draw, a line ``case,answer`` for each; the same answers again change nothing.

    Raises as `cases_of`, and:
        InputError: a line that is no answer, or a case without one.
        BarredError: it has been answered otherwise.
    """
    history = _begun(base, view, name)
    drawn = _draw(history, number)
    cases = _drawn(base, history, drawn)
    answers = _read_answers(said, len(cases.truth))
    digest = digest_bytes(answers.tobytes())
    known = history.answer_to(number)
    if known is not None and known.answers == digest:
        return history
    if known is not None:
        raise BarredError("learning.answered")
    decision = judge_answers(history.course, cases, answers, drawn.attempt)
    return _enter(
        base,
        history,
        drawn.learner,
        "answered",
        step=drawn.step,
        draw=number,
        attempt=drawn.attempt,
        answers=digest,
        verdict=decision.verdict,
        rules=tuple(
            RuleReached(rule=one.rule, verdict=one.verdict, estimate=one.estimate, lower=one.lower, upper=one.upper)
            for one in decision.criteria
        ),
        slices=() if drawn.attempt is not None else _slices(cases, answers),
    )


def judge_answers(course: Course, cases: Drawn, answers: NDArray[np.int64], attempt: int | None = None) -> Decision:
    """Return the decision on answers (0 or 1 for each case), as of a trial on a fixed number of cases.

    ``attempt``: which try for the badge it is; all of them together err with probability at most the course's alpha.
    """
    alpha = exact(course.alpha)
    levels = Levels(alpha, alpha) if attempt is None else attempt_levels(alpha, attempt)
    criteria = [Criterion(rule=rule, estimand=Estimand.POPULATION) for rule in course.practice.rules]
    classes = _pack(course).classes
    judged = Cases(cases.truth.astype(np.int64), answers, classes=classes, positive=classes[1])
    order = np.arange(len(answers))
    return judge(criteria, judged, order, levels, NO_RUN, Design("fixed", len(answers)))


def _slices(cases: Drawn, answers: NDArray[np.int64]) -> tuple[ErrorSlice, ...]:
    """Return how many cases of each cause were answered rightly; last those without a failure."""
    parts = {**cases.causes, "none": ~cases.truth}
    return tuple(
        ErrorSlice(cause=cause, cases=int(chosen.sum()), right=int((answers[chosen] == (cause != "none")).sum()))
        for cause, chosen in parts.items()
    )


def give_course_badge(base: Base, view: View, name: str, email: str, url: str, language: Language) -> str:
    """Return the badge that the actor has earned in a course, as a compact JWT; it is logged once.

    Raises:
        NotFoundError: there is no such course.
        BarredError: the course has not been begun, or the badge is not earned.
    """
    history = _begun(base, view, name)
    earned = history.earned
    if earned is None:
        raise BarredError("learning.not_earned")
    now = base.lab.store.clock()
    award = next((one for one in history.entries if one.kind == "awarded"), None)
    if award is None:
        until = now + timedelta(days=history.course.valid_days)
        history = _enter(base, history, earned.learner, "awarded", draw=earned.draw, expires_at=until)
        award = history.entries[-1]
    number = prove_head(base.lab.store, _head(award)).entries["head"].number
    terms = BadgeTerms(email, history.course.title.render(language), url, number, language)
    return sign_achievement(_achievement(history.course, award, earned, terms), terms, base.trust, now)


def _achievement(course: Course, award: LearningEntry, earned: LearningEntry, terms: BadgeTerms) -> Achievement:
    rules = ", ".join(course.practice.rules)
    told = text("learning.badge.criteria", rules=rules, cases=course.practice.cases, alpha=course.alpha)
    return Achievement(
        badge=f"course-badge:{hex_of(award.digest())}",
        achievement=f"course:{course.name}:{course.version}",
        description=course.summary.render(terms.language),
        criteria=told.render(terms.language),
        page=f"courses/{course.name}/",
        page_name=terms.title,
        expires_at=award.expires_at or award.at,
        skills=tuple((one.name, one.framework, one.code, one.url) for one in course.skills),
        results=tuple(
            (one.rule, f"{one.estimate:.3f}", f"{one.lower:.3f}") for one in earned.rules if one.lower is not None
        ),
    )


def withdraw_badge(base: Base, view: View, badge: Digest, reason: str) -> None:
    """Withdraw a badge, by the digest in its name; withdrawn again, it stays so.

    Raises:
        RefusedError: the actor may not.
        NotFoundError: there is no such badge.
    """
    require_may_begin(DeskAct.BADGES, view.actor)
    stored = base.lab.view.get(badge)
    award = stored.load(LearningEntry) if stored is not None and stored.kind == "learning-entry" else None
    if award is None or award.kind != "awarded":
        raise NotFoundError("learning.no_badge")
    number = prove_head(base.lab.store, _head(award)).entries["head"].number
    if number not in (one.number for one in base.lab.view.every(WithdrawnBadge)):
        with view.transaction("learning.withdrawn") as change:
            change.put(WithdrawnBadge(number=number, reason=reason), BASE)


def erase_record(view: View) -> None:
    """Erase which pseudonym is the actor's: their entries stay, provable, and belong to nobody."""
    forget_learner(view)


def figures_of(base: Base, view: View, name: str) -> CourseFigures:
    """Return how many people got how far in a course; fewer than five are not told.

    Raises:
        NotFoundError: there is no such course; for who does not see the whole base there are no figures.
    """
    if not view.actor.sees_all:
        raise NotFoundError("hub.not_found")
    course = course_named(name)
    people, known = defaultdict[str, list[LearningEntry]](list), known_learners(base.lab.view)
    for one in base.lab.view.every(LearningEntry, {"course": name}):
        if one.version == course.version and one.learner in known:
            people[one.learner].insert(0, one)
    histories = [LearningHistory(course, tuple(one)) for one in people.values()]
    steps = [
        (text("learning.figure.step", step=number), sum(step.name in one.passed for one in histories))
        for number, step in enumerate(course.steps, 1)
        if step.name in course.tested
    ]
    counted: list[tuple[Text, int]] = [
        (text("learning.figure.started"), len(histories)),
        *steps,
        (text("learning.figure.earned"), sum(one.earned is not None for one in histories)),
    ]
    figures = (CourseFigure(what=what, people=n if n >= FEWEST_SHOWN else None) for what, n in counted)
    return CourseFigures(as_of=base.lab.store.clock(), figures=tuple(figures))


def _begun(base: Base, view: View, name: str) -> LearningHistory:
    history = history_of(base, view, course_named(name))
    if not history.entries:
        raise BarredError("learning.not_started")
    return history


def _step(course: Course, name: str, kind: str) -> CourseStep:
    found = course.step(name)
    if found is None or found.kind != kind:
        raise NotFoundError("learning.no_step", name=name)
    return found


def _draw(history: LearningHistory, number: int) -> LearningEntry:
    found = history.draw(number)
    if found is None:
        raise NotFoundError("learning.no_draw", number=number)
    return found


def _drawn(base: Base, history: LearningHistory, drawn: LearningEntry) -> Drawn:
    seed = _seed(base, history.course, drawn.learner, drawn.number)
    if digest_bytes(seed) != drawn.commitment:
        raise InvalidProofError("learning.other_seed", number=drawn.number)
    return _pack(history.course).draw(seed, history.course.practice.cases)


def _seed(base: Base, course: Course, learner: str, number: int) -> bytes:
    return _secret(base, [course.practice.pack, course.name, course.version, learner, number])


def _secret(base: Base, of: list[str | int]) -> bytes:
    key = base.home.keys.create(_KEY, lambda: secrets.token_bytes(_KEY_BYTES))
    return hmac.digest(key, canonical_json(of), "sha256")


def _attempts(base: Base, view: View, course: Course) -> str:
    """Return the counter of a person's tries for a badge, under a name from which nobody reads who they are."""
    actor = view.actor
    person = _secret(base, ["attempts", actor.person or actor.organisation, course.name, course.version])
    return f"course-attempts:{person.hex()[:32]}"


def _pack(course: Course) -> PracticePack:
    return PACKS[course.practice.pack]


def _read_answers(said: str, cases: int) -> NDArray[np.int64]:
    """Return the answer to each case; a heading, and empty lines, are passed over."""
    found: dict[int, int] = {}
    for number, line in enumerate(said.lstrip("\ufeff").splitlines(), start=1):
        case, _, answered = (part.strip(' \t"') for part in line.replace(";", ",").partition(","))
        if not line.strip() or (number == 1 and not case.isdecimal()):
            continue
        known = case.isascii() and case.isdecimal() and len(case) <= len(str(cases)) and 1 <= int(case) <= cases
        if not known or answered not in ("0", "1") or int(case) in found:
            raise InputError("learning.answer_line", line=number, found=line[:80])
        found[int(case)] = int(answered)
    if len(found) < cases:
        first = next(one for one in range(1, cases + 1) if one not in found)
        raise InputError("learning.answers_missing", missing=cases - len(found), first=first)
    return np.array([found[one] for one in range(1, cases + 1)], dtype=np.int64)


def _enter(
    base: Base,
    history: LearningHistory,
    learner: str,
    kind: LearningEntryKind,
    attempts: str | None = None,
    **said: Any,
) -> LearningHistory:
    """Add an entry to a learner's line, and return it; ``attempts``: the counter that it takes the next number of."""
    course = history.course
    with base.lab.view.transaction(f"learning.{kind}") as change:
        made = LearningEntry(
            learner=learner,
            course=course.name,
            version=course.version,
            number=len(history.entries) + 1,
            kind=kind,
            at=change.now,
            **({"attempt": change.add(attempts, 1)} if attempts is not None else {}),
            **said,
        )
        digest = change.put(made, BASE, fields={"learner": learner, "course": course.name})
        change.set_head(_head(made), digest, expected=None)  # refuses the second of two
    return LearningHistory(course, (*history.entries, made))


def _head(entry: LearningEntry) -> str:
    return f"learning:{entry.learner}/{entry.course}:{entry.version}:{entry.number}"
