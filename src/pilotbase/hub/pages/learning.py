"""Courses: the list and each course for everybody; for members their questions, practice and badge."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from pilotbase.documents.base import localized
from pilotbase.documents.course import LONGEST_ANSWERS, CourseStep, CourseTold, LearnerStanding, LearningEntry
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.forms.declared import OperationForm, do, post_of, tell
from pilotbase.hub.presenters import taken
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.routing import EVERYBODY, FORM, MEMBERS, POST, page
from pilotbase.hub.sentences import t
from pilotbase.operations import learning
from pilotbase.workspace.store import View

_COURSE = "courses/<slug:course>/"


class _QuizForm(OperationForm):
    """The questions of a step, each with its options."""

    operation = learning.QUIZ

    def ask(self, step: CourseStep) -> _QuizForm:
        """Add a field for each question, and return the form."""
        for number, one in enumerate(step.questions, start=1):
            options = [(str(place), localized(option, language())) for place, option in enumerate(one.options, start=1)]
            label = localized(one.asks, language())
            self.fields[f"q{number}"] = forms.ChoiceField(label=label, choices=options, widget=forms.RadioSelect)
        return self

    def said(self, view: View) -> dict[str, Any]:
        return {"choices": [int(choice) for choice in self.cleaned_data.values()]}


class _AnswersForm(OperationForm):
    """The answers to the cases of a draw, as a file."""

    operation = learning.ANSWER
    file = forms.FileField(label=t("ask.learning.answer.answers"), help_text=t("ask.learning.answer.answers.help"))

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LONGEST_ANSWERS:
            raise forms.ValidationError(text("thread.file_too_large", allowed=LONGEST_ANSWERS).render(language()))
        return file

    def said(self, view: View) -> dict[str, Any]:
        return {"answers": self.cleaned_data["file"].read().decode("utf-8", "replace").replace("\0", "")}


@page("courses/", "courses", EVERYBODY)
def show_all(request: HubRequest) -> HttpResponse:
    """List the courses."""
    found = do(learning.LIST, request.acting.view, {})
    shown = {"title": text("learning.title"), "courses": found, "begun": any(one.standing for one in found)}
    return render(request, "hub/courses.html", shown)


@page(_COURSE, "course", EVERYBODY, FORM)
def show(request: HubRequest, course: str) -> HttpResponse:
    """Show a course with the reader's own record; take the answers to questions, or to a draw."""
    view, doing = request.acting.view, request.POST.get("do", "")
    found = do(learning.SHOW, view, {"course": course})
    steps, badge = _forms(request, found, doing)
    for form in (*(one for _, one in steps), badge):
        if form is not None and form.is_bound and form.done(view):
            tell(request, form.operation)
            return redirect("course", course=course)
    results = [one for one in found.standing.entries if one.verdict] if found.standing else []
    shown = {
        "title": found.course.title,
        "found": found,
        "steps": [(step, form, _draw(found.standing, step.name), _last(results, step.name)) for step, form in steps],
        "badge": badge,
        "draw": _draw(found.standing, None),
        "tries": [one for one in results if one.attempt is not None],
        "reads": request.acting.reads(ReadScope.OVERVIEW) if request.acting.organisation else False,
        "crumbs": [crumb("courses", text("learning.title"))],
    }
    if shown["reads"]:
        shown["figures"] = do(learning.FIGURES, view, {"course": course}).figures
    return render(request, "hub/course.html", shown)


def _forms(
    request: HubRequest, found: CourseTold, doing: str
) -> tuple[list[tuple[CourseStep, OperationForm | None]], OperationForm | None]:
    """Return each step with its form, and the form for the badge; without one, there is nothing to send."""
    course, standing = found.course, found.standing
    steps: list[tuple[CourseStep, OperationForm | None]] = []
    for step in course.steps:
        form: OperationForm | None = None
        if standing is not None and step.kind == "quiz" and step.name not in standing.passed:
            sent = posted_files(request)[0] if doing == step.name else None
            form = _QuizForm(sent, given={"course": course.name, "part": step.name}).ask(step)
        elif step.kind == "practice":
            form = _answers(request, found, step.name, doing)
        steps.append((step, form))
    return steps, _answers(request, found, None, doing)


def _answers(request: HubRequest, found: CourseTold, step: str | None, doing: str) -> OperationForm | None:
    drawn = _draw(found.standing, step)
    if drawn is None:
        return None
    sent, files = posted_files(request) if doing == (step or "badge") else (None, None)
    form = _AnswersForm(sent, files=files, given={"course": found.course.name, "number": drawn.number})
    form.auto_id = f"id_{step or 'badge'}_%s"
    return form


def _draw(standing: LearnerStanding | None, step: str | None) -> LearningEntry | None:
    """Return the draw of a step (None: for the badge) that waits for answers."""
    if standing is None:
        return None
    answered = {one.draw for one in standing.entries}
    drawn = (one for one in standing.entries if one.kind == "drawn" and one.step == step)
    return next((one for one in drawn if one.number not in answered), None)


def _last(results: list[LearningEntry], step: str) -> LearningEntry | None:
    return next((one for one in reversed(results) if one.step == step), None)


@page(f"{_COURSE}examples.csv", "course-examples", EVERYBODY)
def examples(request: HubRequest, course: str) -> StreamingHttpResponse:
    """Give the labelled examples."""
    return taken.file_response(do(learning.EXAMPLES, request.acting.view, {"course": course}), "text/csv")


@page(f"{_COURSE}draws/<int:number>.csv", "course-cases")
def cases(request: HubRequest, course: str, number: int) -> StreamingHttpResponse:
    """Give the cases of a draw of the reader's."""
    found = do(learning.CASES, request.acting.view, {"course": course, "number": number})
    return taken.file_response(found, "text/csv")


@page(f"{_COURSE}badge.jwt", "course-badge", MEMBERS, POST)
def badge(request: HubRequest, course: str) -> HttpResponse:
    """Give the person the badge that they have earned."""
    given = do(learning.BADGE, request.acting.view, {"course": course})
    return taken.download(given.credential.encode(), "application/vc+jwt", f"badge-{course}.jwt")


post_of(f"{_COURSE}start/", "course-start", learning.START, "course", back=("course",), course="course")
post_of(f"{_COURSE}try/", "course-try", learning.TRY, "course", back=("course",), course="course")
post_of(
    f"{_COURSE}<slug:part>/practise/",
    "course-practise",
    learning.PRACTISE,
    "course",
    back=("course",),
    course="course",
    part="part",
)
post_of("courses/erase/", "learning-erase", learning.ERASE, "courses", back=())
