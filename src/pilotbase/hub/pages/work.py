"""What waits: for the reader, in the inbox that is everyone's first page, and in the queue of the base."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.catalogue.my_work import WorkItem
from pilotbase.documents.base import localized
from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, RequestActor, actor_of, language
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import address_of, back_to
from pilotbase.hub.presenters.drawn import render_live
from pilotbase.hub.presenters.inbox import Inbox, inbox_of, task_of
from pilotbase.hub.presenters.records import titles_of, with_titles
from pilotbase.hub.routing import POST, page
from pilotbase.notices.rows import list_notices
from pilotbase.worker.inbox import InboxItem, asked_of
from pilotbase.worker.operations.binding import there
from pilotbase.worker.progress import waiting_line
from pilotbase.worker.trials.acts import work_of
from pilotbase.workspace.snoozes import SnoozedTask, snooze, wake
from pilotbase.workspace.store import View

_NEWS = 6
AT_ONCE = frozenset({Act.APPLICATION_SUBMIT, Act.RECTIFICATION_SUBMIT, Act.TRIAL_REPEAT})
"""Acts that ask nothing and decide nothing new: the inbox offers them by one button."""
LATER = {"day": timedelta(days=1), "days": timedelta(days=3), "week": timedelta(days=7)}
"""For how long a task can be put off; names: text ``hub.inbox.for.<key>``."""


@dataclass(frozen=True)
class Beginning:
    """What somebody may begin for whom nothing waits."""

    sentence: Text
    url: str


@page("work/", "my-work")
def show(request: HubRequest) -> HttpResponse:
    """Show what waits for the reader, the most urgent first, what waits for others, and what is new."""
    acting = request.acting
    found = inbox_of(acting.view)
    latest, _ = list_notices(acting.view, unread=True, limit=_NEWS)
    shown = {
        "title": text("hub.nav_my_work"),
        "waiting": found.waiting,
        "groups": _by_urgency(found.tasks, acting.view.store.clock()),
        "at_once": AT_ONCE,
        "held": found.held,
        "asked": _asked(acting.view, found.asked),
        "put_off": [(one, task_of(one.item)) for one in found.put_off],
        "later": LATER,
        "begin": [] if found.tasks or found.held or found.asked or found.put_off else list(_begin(acting)),
        "elsewhere": list(_elsewhere(acting)),
        "latest": latest,
        "live": True,
    }
    return render_live(request, "work", "inbox", shown)


@page("work/count/", "work-count")
def count(request: HubRequest) -> HttpResponse:
    """Give the numbers in header and navigation, to update an open page."""
    return render(request, "hub/parts/counts.html", {"fresh": True})


@page("work/later/", "work-later", methods=POST)
def put_off(request: HubRequest) -> HttpResponse:
    """Put one of the reader's tasks off, at the latest until it is due; or bring it back."""
    view, subject, act = request.acting.view, request.POST.get("subject", ""), request.POST.get("act", "")
    if "wake" in request.POST:
        wake(view, subject, act)
    else:
        task, due = there(_task(inbox_of(view), subject, act))
        until = view.store.clock() + there(LATER.get(request.POST.get("for", "")))
        snooze(view, task, min(until, due) if due is not None else until)
        messages.success(request, text("hub.inbox.put_off").render(language()))
    return redirect(back_to(request, "my-work"))


def _task(found: Inbox, subject: str, act: str) -> tuple[SnoozedTask, datetime | None] | None:
    """Return a task of the inbox and when it is due; None: there is no such task, or it is overdue."""
    tasks = [(task_of(one), one.due) for one in found.tasks if not one.overdue] + [
        (task_of(one), None) for one in found.asked
    ]
    return next((one for one in tasks if (one[0].subject, one[0].act) == (subject, act)), None)


@page("queue/", "queue")
def show_queue(request: HubRequest) -> HttpResponse:
    """Show the queue."""
    shown = {"title": text("live.queue_title"), "lines": list(waiting_line(request.acting.view)), "live": True}
    return render_live(request, "queue", "queue", shown)


def _by_urgency(tasks: Iterable[WorkItem], now: datetime) -> list[tuple[Text, list[WorkItem]]]:
    """Return the tasks by when they are due: within a day, within a week, later or never."""
    groups: dict[str, list[WorkItem]] = {"now": [], "week": [], "later": []}
    for task in tasks:
        left = task.due - now if task.due is not None else timedelta.max
        groups["now" if left <= timedelta(days=1) else "week" if left <= timedelta(days=7) else "later"].append(task)
    return [(Text(code=f"hub.inbox.{name}"), found) for name, found in groups.items() if found]


def _elsewhere(acting: RequestActor) -> Iterator[tuple[str, int]]:
    """Yield the person's other organisations in which something waits for them, and how much."""
    assert acting.person is not None
    for membership in acting.memberships:
        if membership.organisation != acting.organisation:
            view = acting.view.store.as_actor(actor_of(membership, acting.person))
            waiting = len(work_of(base(), view).tasks) + len(asked_of(base(), view))
            if waiting:
                yield membership.organisation, waiting


def _asked(view: View, items: Sequence[InboxItem]) -> list[tuple[InboxItem, str, str]]:
    """Return what is asked in words that name records by their titles, where it is done, and what it is about."""
    titles = titles_of(view, (one.subject for one in items))
    said = with_titles(view, (one.said for one in items))
    return [
        (replace(one, said=words), _address(one), localized(titles.get(one.subject), language()))
        for one, words in zip(items, said, strict=True)
    ]


def _address(one: InboxItem) -> str:
    """Return the page on which somebody does what is asked."""
    if one.kind == "site-pack":
        return reverse("sites")
    if one.kind == "plan":
        return reverse("plan-proposal")
    if one.kind == "role-change":
        return reverse("role-changes")
    if one.kind == "act-consent":
        return reverse("consent", kwargs={"name": name_of(one.subject), "consent": one.identity})
    if one.kind in ("call", "room"):
        return address_of(one.subject)
    if one.kind == "panel-open":
        return reverse("panel-open", kwargs={"name": one.identity})
    return reverse("labelling-round", kwargs={"identity": one.identity})


def _begin(acting: RequestActor) -> Iterator[Beginning]:
    """Yield what people of the actor's roles begin with."""
    if acting.has(Role.DEMAND_OWNER):
        yield Beginning(text("hub.first_scenario"), reverse("scenario-new"))
    if acting.has(Role.SUPPLIER):
        yield Beginning(text("hub.first_application"), reverse("records", kwargs={"section": "scenarios"}))
    if acting.has(Role.OPERATOR):
        yield Beginning(text("hub.first_organisation"), reverse("records", kwargs={"section": "organisations"}))
    if acting.has(Role.REGULATOR):
        yield Beginning(text("hub.first_evidence"), reverse("records", kwargs={"section": "trials"}))
    if acting.has(Role.REVIEWER):
        yield Beginning(text("hub.first_review"), reverse("records", kwargs={"section": "trials"}))
