"""A world in which every stop of a walk is looked at by everybody: what they are told to do, each can do."""

import json
from unittest.mock import patch

from pilotbase.catalogue import advancing
from pilotbase.catalogue.advancing import possible_acts
from pilotbase.documents.api.records import SECTIONS
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.lifecycles import LIFECYCLES, transition
from pilotbase.documents.permissions import Act, Relation
from pilotbase.documents.record import Appeal, AppealDecision, Interest, Order, OrderLifting, Reviewer
from pilotbase.documents.vocabularies import Verdict
from pilotbase.worker.reactions.noticing import Noticing, Ways
from pilotbase.workspace.failures import BusyError
from tests.catalogue.agreements_for_tests import dataset
from tests.catalogue.records_for_tests import (
    COMMISSION,
    DESK,
    NOW,
    OWNER,
    PLANNER,
    REGULATOR,
    REVIEWER,
    SCENARIO,
    SIGNER,
    SUPPLIER,
    approval,
    commission,
    proposal,
    report,
    version,
)

PEOPLE = {
    "desk": DESK,
    "planner": PLANNER,
    "signer": SIGNER,
    "owner": OWNER,
    "supplier": SUPPLIER,
    "reviewer": REVIEWER,
    "regulator": REGULATOR,
}
WRITTEN = "hub.failed"
"""What an act answers here that was about to be written."""


class Checked:
    """A world in which every stop of a walk is looked at by everybody."""

    def __init__(self, made):
        self.world, self.trial = made, made.trial
        self.scenario, self.version = made.trial.scenario, made.trial.version
        self.clients = {who: made.client(who) for who in PEOPLE}
        self.tasks: dict[str, list[tuple[str, str]]] = {}
        self.seen: set[tuple[str, str]] = set()

    def do(self, who, subject, act, brings=None, **move):
        return self.trial.do(who, subject, act, brings, **move)

    def get(self, who, path):
        answer = self.clients[who].get(path)
        assert answer.status_code == 200, (who, path, answer.content[:300])
        return answer

    def look(self, *subjects):
        """Look at everybody's work; ``subjects``: the records that stand somewhere new."""
        work = {who: self.get(who, "/api/work").json() for who in PEOPLE}
        self.tasks = {who: [(one["subject"], one["act"]) for one in found["tasks"]] for who, found in work.items()}
        for who, found in work.items():
            for one in found["tasks"]:
                self.can_be_done(who, one["subject"], Act(one["act"]))
            for one in found["held"]:
                self.somebody_clears(who, one)
        for subject in subjects or (COMMISSION,):
            record = self.trial.record(subject)
            self.seen.add((record.kind, str(record.state)))
            self.goes_on(record)
            self.bars_hold(record)

    def can_be_done(self, who, subject, act):
        told = {one["act"]: one["obstacle"] for one in self.get(who, f"/api{address(subject)}/acts").json()}
        assert told[act] is None, (who, subject, act, told[act])
        self.get(who, f"{address(subject)}/")
        answer = self.post(who, subject, act)
        assert answer.json().get("code") == WRITTEN, (who, subject, act, answer.content[:400])

    def somebody_clears(self, who, item):
        bar = item["bar"]
        assert bar["reason"] and bar["hint"]
        if bar["code"] == "record.duties_mixed":
            others = [name for name, tasks in self.tasks.items() if (item["subject"], item["act"]) in tasks]
            assert others, f"{who} may not, and no colleague is asked: {item}"
            return
        assert bar["remedies"], f"nobody can clear it: {item}"
        for remedy in bar["remedies"]:
            told = [name for name, tasks in self.tasks.items() if (remedy["subject"], remedy["act"]) in tasks]
            assert any(remedy["role"] in PEOPLE[name].roles for name in told), f"nobody is told: {remedy} of {item}"

    def goes_on(self, record):
        """In each state somebody can move the record or make way for it, or the base moves it, or it is over."""
        rows = [row for row in LIFECYCLES[record.kind] if record.state in row.sources and row.target is not None]
        by_base = any(grant.relation is Relation.MACHINE for row in rows for grant in row.act.grants)
        moved = [
            one.act
            for who in PEOPLE.values()
            for one in possible_acts(self.trial.store.as_actor(who), record)
            if one.bar is None and transition(one.act).target not in (None, record.state)
        ]
        told = any(subject == record.subject for tasks in self.tasks.values() for subject, _ in tasks)
        assert moved or told or by_base or not rows, f"nobody moves {record.subject} out of {record.state}"

    def bars_hold(self, record):
        """What `acts` says is barred, the API refuses with the same reason: 409, or 422 where contents lack."""
        for who in PEOPLE:
            answer = self.clients[who].get(f"/api{address(record.subject)}/acts")
            for one in answer.json() if answer.status_code == 200 else ():
                if one["obstacle"] and one["brings"] in (None, "plan-proposal", "acceptance"):
                    refused = self.post(who, record.subject, Act(one["act"]))
                    assert refused.status_code in (409, 403, 422), (one, refused.content)
                    if refused.status_code == 403:
                        assert refused.json()["code"] == "record.duties_mixed"
                    if refused.status_code == 409:
                        assert refused.json()["title"] == one["obstacle"]

    def post(self, who, subject, act):
        """Post an act as its form or a program would, and take it back before it is written."""
        body, method, path = self.body(subject, act), "post", f"/api{address(subject)}/acts/{act}"
        if transition(act).brings in ("scenario", "application-version", "dataset", "demand"):
            method, path = "put", f"/api{address(subject)}?why_holds=true"
        with patch.object(advancing, "_write", side_effect=BusyError(WRITTEN, request="–")):
            return getattr(self.clients[who], method)(path, json.dumps(body), content_type="application/json")

    def body(self, subject, act):
        record, brings = self.trial.record(subject), transition(act).brings
        open_appeal = next((one.number for one in record.appeals if one.decision is None), 1)
        standing = next((one.number for one in record.orders if one.lifted_at is None), 1)
        decision = "declined" if act is Act.ACCEPTANCE_REFUSE else "accepted"
        made = {
            None: lambda: None,
            "commission": lambda: commission(self.scenario, self.version),
            "plan-proposal": lambda: self.proposal(record),
            "approval": lambda: approval(None),
            "reviewer": lambda: Reviewer(organisation="academy", person="p-other-reviewer"),
            "interest": lambda: Interest(has_interest=False),
            "acceptance": lambda: Acceptance(
                report=record.documents["report"], organisation="plant", decision=decision, at=NOW
            ),
            "appeal": lambda: Appeal(grounds="Unfair."),
            "appeal-decision": lambda: AppealDecision(number=open_appeal, upheld=False, reasons="Fair."),
            "order": lambda: Order(kind="rerun", reasons="Doubts.", deadline="2099-01-01"),
            "order-lifting": lambda: OrderLifting(number=standing),
            "scenario": lambda: self.fresh("cases-fresh.csv"),
            "application-version": lambda: version("9.9.9"),
            "dataset": lambda: dataset("9.0.0"),
            "demand": lambda: {"text": "They break more often.", "apart": "Another line."},
        }[brings]()
        if made is None:
            return {}
        return made if isinstance(made, dict) else made.to_json_value()

    def fresh(self, file):
        return self.scenario.model_copy(update={"data": self.scenario.data.model_copy(update={"file": file})})

    def proposal(self, record):
        made = proposal(self.scenario, self.version)
        return made.model_copy(
            update={"scenario_version": record.documents["scenario"], "folder": record.documents["folder"]}
        )

    def to_plan_review(self):
        self.trial.propose()
        self.trial.agree()
        self.do(OWNER, COMMISSION, Act.APPROVAL_FILE, approval(None))
        self.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="institute", person="p-reviewer"))
        self.do(PLANNER, COMMISSION, Act.PLAN_DRAFT, proposal(self.scenario, self.version))

    def to_report(self, verdict=Verdict.ACCEPT):
        self.to_plan_review()
        self.trial.approve()
        self.trial.order_freeze()
        self.trial.freeze()
        self.trial.queue()
        self.trial.start()
        self.trial.report = report(self.trial.plan, verdict)
        self.trial.finish()

    def to_certificate(self):
        self.trial.accept()
        self.trial.sign()
        self.trial.issue()

    def refresh(self, file="cases-2.csv"):
        """Bring fresh data: the owner's new version, submitted and opened."""
        self.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, self.fresh(file))
        yield
        self.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
        yield
        self.do(DESK, SCENARIO, Act.SCENARIO_OPEN)
        yield


def notices_of(walk, who):
    """Return the page of a person's notices after a round of noticing."""
    from pilotbase.hub.base import base

    Noticing(base(), Ways()).tell_changes()
    return walk.get(who, "/notices/").content.decode()


def address(subject):
    kind, _, name = subject.partition(":")
    return f"/{SECTIONS[kind]}/{name}"
