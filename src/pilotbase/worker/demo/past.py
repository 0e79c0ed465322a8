"""Two years of the demonstration, dated back: scenarios, trials and certificates of several parties.

Data, programs, verdicts and steps are real: the code that takes them is that of any base. What is made up is the dates,
under a clock that is set, and who decides what, which stands in `EVENTS`. It ends the same way on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

from pilotbase.documents.base import Localized, Part
from pilotbase.documents.permissions import Act
from pilotbase.documents.planning import PlanningSheet
from pilotbase.documents.record import Appeal, AppealDecision, Order, OrderLifting, Record
from pilotbase.documents.roadmap import Phase
from pilotbase.documents.states import CommissionState
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.notices.rows import mark_read
from pilotbase.roadmap.planning import set_sheet
from pilotbase.roadmap.proposals import adopt, propose
from pilotbase.worker.base import Base, rotate_key
from pilotbase.worker.demo.examples import find_examples, made_ahead, place_of
from pilotbase.worker.demo.records import PARTIES, STAGES, Cast, PlayedTrial, open_scenario, register, submit
from pilotbase.worker.demo.walk import prove_walk
from pilotbase.worker.jobs.worker import JobWorker, default_name
from pilotbase.worker.reactions.feed import Reactions
from pilotbase.worker.reactions.noticing import Noticing, Ways
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View, utc_now

DAYS = 720
"""How long the past is; it ends yesterday."""
_STEP = timedelta(days=1, hours=3, minutes=20)
"""Between two steps of a trial."""


class SetClock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def __call__(self) -> datetime:
        return self._now

    def set(self, to: datetime) -> None:
        """Set the clock to ``to``, or leave it where that is over."""
        self._now = max(self._now, to)


def clock_of_past() -> SetClock:
    """Return a clock that stands where the past begins, at nine in the morning."""
    return SetClock(utc_now().replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=DAYS + 1))


class PastTrial(PlayedTrial):
    """A trial whose steps lie days apart, and the ways in which it may end."""

    def __init__(self, past: PlayedPast, scenario: str, application: str) -> None:
        super().__init__(past.base, past.cast, scenario, application)
        self._clock = past.clock
        self._regulator = self._view("city-data-bureau", Role.REGULATOR, past.cast.regulator)

    def do(self, view: View, act: Act, brings: Part | None = None) -> Record:
        self._clock.set(self._clock() + _STEP)
        return super().do(view, act, brings)

    def report(self) -> Iterator[None]:
        """Take the trial to its report."""
        yield from self.way_to(CommissionState.QUEUED)
        yield

    def decline(self) -> None:
        """The owner declines the proposal."""
        self.propose()
        self.do(self.owner, Act.COMMISSION_DECLINE)

    def cancel(self) -> None:
        """The supplier withdraws once the terms were agreed."""
        self.propose()
        self.agree()
        self.do(self.supplier, Act.COMMISSION_CANCEL)

    def certify(self) -> Iterator[None]:
        """The owner accepts, and the base certifies."""
        yield from self.way_to(CommissionState.CERTIFIED)

    def refuse(self) -> Iterator[None]:
        """The owner refuses what the report shows."""
        yield from self.report()
        self.do(self.owner, Act.ACCEPTANCE_REFUSE, self.opinion("declined"))

    def appeal(self) -> Iterator[None]:
        """The owner refuses, the supplier appeals, and the base dismisses the appeal."""
        yield from self.refuse()
        self.do(self.supplier, Act.APPEAL_FILE, Appeal(grounds="The hidden cases hold too few failures to be fair."))
        reasons = "The plan named the number of failures, and the supplier agreed to it."
        self.do(self.desk, Act.APPEAL_DECIDE, AppealDecision(number=1, upheld=False, reasons=reasons))

    def rectify(self) -> Iterator[None]:
        """The owner asks the supplier to rectify, who has not done so yet."""
        yield from self.report()
        self.do(self.owner, Act.RECTIFICATION_ASK)

    def suspend(self) -> None:
        """The regulator orders the suspension of a certificate."""
        due = (self._clock() + timedelta(days=30)).date().isoformat()
        ordered = Order(kind="suspension", reasons="Complaints about refused loans are under review.", deadline=due)
        self.do(self._regulator, Act.ORDER_GIVE, ordered)
        self.do(self.signer, Act.CERTIFICATE_SUSPEND)
        self._work()

    def reinstate(self) -> None:
        """The regulator lifts the order, and the certificate holds again."""
        self.do(self._regulator, Act.ORDER_LIFT, OrderLifting(number=1))
        self.do(self.signer, Act.CERTIFICATE_REINSTATE)
        self._work()

    def revoke(self) -> None:
        """The base revokes a certificate."""
        self.do(self.signer, Act.CERTIFICATE_REVOKE)
        self._work()


@dataclass
class PlayedPast:
    """What is played, and how far it has come."""

    base: Base
    cast: Cast
    clock: SetClock
    folders: Mapping[str, Future[Path]]
    """Sector → the folder of its example, once it is made."""
    scenarios: dict[str, str] = field(default_factory=dict)
    """Sector → the subject of its scenario."""
    applications: dict[str, str] = field(default_factory=dict)
    """Folder, such as ``energy/output-trees`` → the subject of the application in it."""
    trials: dict[str, PastTrial] = field(default_factory=dict)
    """Folder → the last trial of the application in it."""

    def application(self, name: str) -> str:
        """Return the subject of the application in the folder ``name``; at first it is handed in."""
        if name not in self.applications:
            sector, _, application = name.partition("/")
            folder = place_of(self.base, sector) / "applications" / application
            self.applications[name] = submit(self.base, self.cast, folder, self.scenarios[sector])
        return self.applications[name]


Steps: TypeAlias = Iterator[None] | None
"""What is left to do; yields wherever a worker has to do something first."""
Event: TypeAlias = Callable[[PlayedPast, str], Steps]
LIMITS = PlanningSheet.model_validate(
    {
        "discount": 0.6,
        "keep": 0.01,
        "resources": [
            {
                "name": "money",
                "title": {"en": "Funds", "zh": "资金"},
                "unit": "CNY",
                "limits": dict.fromkeys(Phase, 1_200_000),
            },
            {
                "name": "reviewers",
                "title": {"en": "Reviewers' days", "zh": "评审人日"},
                "limits": dict.fromkeys(Phase, 12),
            },
        ],
        "usual": {"money": 400_000, "reviewers": 6},
    }
)
"""Two scenarios a phase, so that the order of what scenarios are worth decides, and records move the plan."""


def _open(past: PlayedPast, sector: str) -> None:
    past.scenarios[sector] = open_scenario(past.base, past.cast, past.folders[sector].result())


def _plan(past: PlayedPast, _: str) -> None:
    view = past.base.lab.store.as_actor(past.cast.operator(past.cast.planner))
    set_sheet(view, LIMITS)
    adopt(view, Localized(en="To 2035", zh="至2035年"), propose(view).digest())


def _rotate(past: PlayedPast, _: str) -> None:
    rotate_key(past.base, root=False)


def _trial(end: Callable[[PastTrial], Steps]) -> Event:
    def begin(past: PlayedPast, name: str) -> Steps:
        trial = PastTrial(past, past.scenarios[name.partition("/")[0]], past.application(name))
        past.trials[name] = trial
        return end(trial)

    return begin


def _later(step: Callable[[PastTrial], None]) -> Event:
    return lambda past, name: step(past.trials[name])


def _under_way(past: PlayedPast, sector: str) -> Steps:
    application, state = STAGES[sector]
    return _trial(lambda trial: trial.way_to(state))(past, f"{sector}/{application}")


def _prove_walk(past: PlayedPast, _: str) -> None:
    """Take the first half of the walk: its demand is certified and in service when today begins."""
    for _step in prove_walk(past.base, past.cast, partial(PastTrial, past)):
        _follow(past.base)


def _read_up(past: PlayedPast, _: str) -> None:
    """Let everybody have read what they were told until then: a first look finds news, not two years of it."""
    cast = past.cast
    people = {
        Role.DEMAND_OWNER: cast.owner,
        Role.SUPPLIER: cast.supplier,
        Role.REVIEWER: cast.reviewer,
        Role.REGULATOR: cast.regulator,
    }
    parties = [Actor(name, frozenset({role}), people[role]) for name, (_, _, role) in PARTIES.items()]
    for actor in (*parties, *map(cast.operator, (cast.desk, cast.planner, cast.signer))):
        mark_read(past.base.lab.store.as_actor(actor), None)


def _hand_in(past: PlayedPast, name: str) -> None:
    past.application(name)


EVENTS: tuple[tuple[int, Event, str], ...] = (
    (12, _open, "manufacturing"),
    (20, _open, "energy"),
    (30, _trial(PastTrial.refuse), "manufacturing/torque-limit"),
    (30, _trial(PastTrial.refuse), "energy/answer-finder"),
    (190, _open, "transport"),
    (204, _trial(PastTrial.certify), "transport/delay-trees"),
    (204, _trial(PastTrial.appeal), "manufacturing/never-alarm"),
    (260, _open, "finance"),
    (275, _trial(PastTrial.certify), "finance/careful-score"),
    (275, _trial(PastTrial.refuse), "transport/carrier-ranking"),
    (365, _rotate, ""),
    (380, _open, "healthcare"),
    (392, _trial(PastTrial.refuse), "healthcare/cleveland-score"),
    (392, _trial(PastTrial.certify), "energy/output-trees"),
    (410, _plan, ""),
    (500, _later(PastTrial.suspend), "finance/careful-score"),
    (525, _trial(PastTrial.refuse), "energy/correction-formula"),
    (525, _trial(PastTrial.refuse), "finance/age-points"),
    (560, _later(PastTrial.reinstate), "finance/careful-score"),
    (590, _trial(PastTrial.decline), "transport/first-impression"),
    (610, _later(PastTrial.revoke), "energy/output-trees"),
    (612, _prove_walk, "late-arrivals"),
    (645, _trial(PastTrial.cancel), "healthcare/sample-memory"),
    (655, _under_way, "manufacturing"),
    (655, _trial(PastTrial.rectify), "energy/fourth-order-curve"),
    (685, _hand_in, "manufacturing/cloud-alarm"),
    (690, _hand_in, "transport/table-hoarder"),
    (692, _under_way, "energy"),
    (703, _hand_in, "finance/known-customers"),
    (704, _under_way, "finance"),
    (711, _read_up, ""),
    (712, _under_way, "transport"),
    (716, _under_way, "healthcare"),
)
"""Day of the past → what happens, to which scenario or application; what begins on the same day goes on side by side.

Each hidden set keeps an attempt for today.
"""
_OVER = object()
_WORKERS = 2


def play(base: Base, cast: Cast, clock: SetClock) -> Iterator[Text]:
    """Play the past in a new ``base``, whose clock is ``clock``, and yield what is being done.

    Raises:
        PilotbaseError: the packages with the data cannot be fetched.
    """
    register(base, cast)
    began, examples = clock(), find_examples()
    with made_ahead(base, examples, [name for _, happens, name in EVENTS if happens is _open]) as folders:
        past = PlayedPast(base, cast, clock, folders)
        for day, events in groupby(EVENTS, key=itemgetter(0)):
            clock.set(began + timedelta(days=day))
            begun: list[Steps] = []
            for _, happens, name in events:
                if name:
                    yield text("hub.demo_past", day=clock().date().isoformat(), what=name)
                begun.append(happens(past, name))
            _go_on(base, [steps for steps in begun if steps is not None])
            _follow(base)
    clock.set(began + timedelta(days=DAYS))
    _follow(base)


def _go_on(base: Base, under_way: list[Iterator[None]]) -> None:
    """Let workers do what is under way, side by side, until all of it is over."""
    while under_way := [steps for steps in under_way if next(steps, _OVER) is not _OVER]:
        with ThreadPoolExecutor(_WORKERS) as working:
            for done in [working.submit(_work, base, number) for number in range(_WORKERS)]:
                done.result()


def _work(base: Base, number: int) -> None:
    worker = JobWorker(base, f"{default_name()}-{number}")
    while worker.work_once() is not None:
        pass


def _follow(base: Base) -> None:
    """Let the base react, and tell people, as its worker would have done at the time."""
    while Reactions(base).round():
        pass
    noticing = Noticing(base, Ways())
    while noticing.tell_changes():
        pass
    while noticing.tell_uses():
        pass
