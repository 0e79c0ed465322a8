"""A request for every act that the API does once under an Idempotency-Key, and what others do before it comes again.

Each function makes its act possible, yields address and body, and goes on once the act was done.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from secrets import token_hex

from pilotbase.data.drafting import DraftAnswers
from pilotbase.data.terms.templates import offer_for
from pilotbase.documents.described import Described
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Opening
from pilotbase.documents.watch import Replay
from pilotbase.operations import workforce
from pilotbase.watch.incidents import default_runbook
from pilotbase.worker.datasets.owner_jobs import keep_result
from pilotbase.worker.intake.drafting import new_scenario
from tests.catalogue.agreements_for_tests import agreement, dataset
from tests.catalogue.records_for_tests import APPLICATION, OWNER, SCENARIO, commission, scenario, version
from tests.hub.services_for_tests import let_an_older_version_answer, let_ask
from tests.hub.test_notices import rounds
from tests.hub.test_uploads import cases, packed
from tests.hub.test_uploads_in_pieces import BYTES, announced, sent, zipped
from tests.protocols.receivers_for_tests import receiving
from tests.watch.incidents_for_tests import raise_warning, warning
from tests.watch.services_for_tests import labelled, observed
from tests.watch.worlds_for_tests import TERMS
from tests.worker.datasets.reports_for_tests import LOGS, quality_report

JSON = {"content_type": "application/json"}
Sent = Iterator[tuple[str, object]]
_numbers = count(1)


@dataclass(frozen=True)
class Case:
    """One request: which operation, who sends it, and the status when it comes again after its answer was lost."""

    operation: str
    who: str
    request: Callable[[object], Sent]
    again: int | None = None
    """None: the same as at first."""
    counted: frozenset[str] = frozenset()
    """Tables in which it stands that something came again."""

    def __str__(self) -> str:
        return self.request.__name__


CASES: list[Case] = []
REPEATS = frozenset({"watch_counts", "log_entries", "log_nodes", "log_checkpoints"})
"""Batches are known by their own names; how many came twice is counted."""


def case(operation: str, who: str, **more: object) -> Callable[[Callable[..., Sent]], Callable[..., Sent]]:
    def enter(request: Callable[..., Sent]) -> Callable[..., Sent]:
        CASES.append(Case(operation, who, request, **more))
        return request

    return enter


def ask(world, who: str, method: str, path: str, body: object = None, **headers: str):
    """Return the answer to a request, which must be good."""
    found = getattr(world.client(who), method)(path, body, **JSON, **headers)
    assert found.status_code < 300, found.content
    return found


def new_name(kind: str) -> str:
    return f"{kind}-{next(_numbers)}"


@case("put /api/scenarios/{owner}/{name}", "owner")
def save_scenario(world) -> Sent:
    name = new_name("lathe")
    path = f"/api/scenarios/plant/{name}"
    yield path, scenario(name=name).to_json_value()
    ask(world, "owner", "put", path, scenario(name=name, intended_use="Warn the night shift.").to_json_value())


@case("put /api/demands/{owner}/{name}", "owner")
def register_demand(world) -> Sent:
    path, said = f"/api/demands/plant/{new_name('need')}", {"text": "Fans hum at night.", "apart": "Another hall."}
    yield path, said
    ask(world, "owner", "put", path, {**said, "text": "Fans hum at noon."})


@case("put /api/capabilities/{owner}/{name}", "supplier")
def state_a_capability(world) -> Sent:
    yield f"/api/capabilities/acme/{new_name('zhou')}", {"kind": "expert", "title": "Zhou", "summary": "Mills."}


@case("delete /api/capabilities/{owner}/{name}", "supplier")
def withdraw_a_capability(world) -> Sent:
    path = f"/api/capabilities/acme/{new_name('zhou')}"
    ask(world, "supplier", "put", path, {"kind": "expert", "title": "Zhou", "summary": "Mills."})
    yield path, {}


@case("put /api/applications/{owner}/{name}", "supplier")
def save_application(world) -> Sent:
    name = new_name("birch")
    path = f"/api/applications/acme/{name}"
    yield path, version(name=name).to_json_value()
    ask(world, "supplier", "put", path, version("1.0.1", name=name).to_json_value())


@case("put /api/organisations/{name}", "desk")
def save_organisation(world) -> Sent:
    name = new_name("works")
    made = {"document": "organisation/1", "name": name, "title": "Works", "roles": ["supplier"]}
    yield f"/api/organisations/{name}", made
    ask(world, "desk", "put", f"/api/organisations/{name}", {**made, "title": "Great works"})


@case("put /api/datasets/{owner}/{name}", "owner")
def save_dataset(world) -> Sent:
    name = new_name("logs")
    path = f"/api/datasets/plant/{name}"
    yield path, dataset(name=name).to_json_value()
    ask(world, "owner", "put", path, dataset(name=name, publisher="Plant Ltd").to_json_value())


@case("put /api/datasets/{owner}/{name}/quality", "owner")
def publish_quality(world) -> Sent:
    name = new_name("logs")
    subject, path = f"dataset:plant/{name}", f"/api/datasets/plant/{name}/quality"
    closed = offer_for(Opening.COMPUTE_TO_DATA, "plant", subject)
    world.trial.do(OWNER, subject, Act.DATASET_REGISTER, dataset(name=name, usageInfo=closed, recordSet=LOGS))
    world.trial.do(OWNER, subject, Act.DATASET_PUBLISH)
    yield path, quality_report(subject).to_json_value()
    ask(world, "owner", "put", path, quality_report(subject, checks_run=0).to_json_value())


@case("post /api/datasets/{owner}/{name}/files", "owner")
def keep_a_file(world) -> Sent:
    name = new_name("logs")
    subject, path = f"dataset:plant/{name}", f"/api/datasets/plant/{name}/files"
    closed = offer_for(Opening.COMPUTE_TO_DATA, "plant", subject)
    world.trial.do(OWNER, subject, Act.DATASET_REGISTER, dataset(name=name, usageInfo=closed, files=("folder.zip",)))
    yield path, {"upload": sent(world.client("owner"), zipped({"logs.csv": "torque\n1\n"}))}


def _describing(world) -> str:
    upload = sent(world.client("owner"), b"torque,state\n1,fine\n", name="logs.csv")
    return ask(world, "owner", "post", "/api/descriptions", {"uploads": [upload]}).json()["identity"]


@case("post /api/descriptions", "owner")
def describe_files(world) -> Sent:
    yield "/api/descriptions", {"uploads": [sent(world.client("owner"), b"torque\n1\n", name="logs.csv")]}


@case("put /api/descriptions/{identity}/answers", "owner")
def answer_a_description(world) -> Sent:
    place = f"/api/descriptions/{_describing(world)}/answers"
    yield place, {"title": "Logs"}
    ask(world, "owner", "put", place, {"title": "Logs of line 3"})


@case("post /api/descriptions/{identity}/dataset", "owner")
def save_a_description(world) -> Sent:
    from pilotbase.hub.base import base

    identity = _describing(world)
    order = base().lab.view.head(f"describing:{identity}")
    keep_result(base(), "plant", f"describe:{order}", Described(dataset=dataset(name=new_name("logs"))))
    yield f"/api/descriptions/{identity}/dataset", {"usual_terms": True, "keep": False}


@case("post /api/datasets/{owner}/{name}/quality/measurement", "owner")
def measure_a_dataset(world) -> Sent:
    name = new_name("logs")
    made = dataset(name=name, files=("logs.csv",))
    world.trial.do(OWNER, f"dataset:plant/{name}", Act.DATASET_REGISTER, made)
    upload = {"upload": sent(world.client("owner"), b"torque\n1\n", name="logs.csv")}
    ask(world, "owner", "post", f"/api/datasets/plant/{name}/files", upload)
    yield f"/api/datasets/plant/{name}/quality/measurement", {}


@case("post /api/agreements", "supplier")
def take_up_an_offer(world) -> Sent:
    name = new_name("logs")
    subject = f"dataset:plant/{name}"
    made = dataset(name=name, usageInfo=offer_for(Opening.ON_TERMS, "plant", subject), opening=Opening.ON_TERMS)
    world.trial.do(OWNER, subject, Act.DATASET_REGISTER, made)
    world.trial.do(OWNER, subject, Act.DATASET_PUBLISH)
    yield "/api/agreements", agreement(made, dataset=subject).to_json_value()
    world.trial.do(OWNER, subject, Act.DATASET_WITHDRAW)


@case("post /api/scenarios", "owner")
def hand_in_scenario(world) -> Sent:
    with tempfile.TemporaryDirectory() as folder:
        table, made = Path(folder, f"{new_name('cases')}.csv"), Path(folder, "drill")
        table.write_bytes(cases())
        new_scenario(table, DraftAnswers("Breaks too often", "failure", None, 1000, 50, "plant, desk"), made)
        files = {f"drill/{path.name}": path.read_bytes() for path in made.iterdir()}
    yield "/api/scenarios", {"upload": sent(world.client("owner"), zipped(files))}


@case("post /api/applications", "supplier")
def hand_in_application(world) -> Sent:
    archive = packed([], name=new_name("pine")).read()
    yield "/api/applications", {"upload": sent(world.client("supplier"), archive), "scenario": SCENARIO}


@case("post /api/uploads", "owner")
def announce_an_upload(world) -> Sent:
    yield "/api/uploads", {"name": "cases.zip", "size": 9, "digest": f"sha256:{'0' * 64}"}


@case("post /api/trials", "supplier")
def propose_a_trial(world) -> Sent:
    yield "/api/trials", commission(world.trial.scenario, world.trial.version).to_json_value()


@case("post /api/trials/{name}/acts/appeal.file", "supplier")
def appeal(world) -> Sent:
    yield "/api/trials/c1/acts/appeal.file", {"grounds": "Labels were wrong."}


@case("post /api/trials/{name}/acts/reviewer.name", "desk")
def name_a_reviewer(world) -> Sent:
    reviewer = {"organisation": "academy", "person": "p-other-reviewer"}
    yield "/api/trials/c1/acts/reviewer.name", reviewer
    ask(world, "desk", "post", "/api/trials/c1/acts/reviewer.release", reviewer)


@case("post /api/scenarios/{owner}/{name}/acts/scenario.submit", "owner")
def submit_a_scenario(world) -> Sent:
    name = new_name("press")
    world.trial.do(OWNER, f"scenario:plant/{name}", Act.SCENARIO_REGISTER, scenario((), name=name))
    yield f"/api/scenarios/plant/{name}/acts/scenario.submit", {}
    ask(world, "desk", "post", f"/api/scenarios/plant/{name}/acts/scenario.return", {"note": "Say more."})


@case("post /api/applications/{owner}/{name}/acts/application.rehearse", "supplier")
def rehearse(world) -> Sent:
    owner, name = APPLICATION.partition(":")[2].split("/")
    yield f"/api/applications/{owner}/{name}/acts/application.rehearse", {}


@case("post /api/organisations/{name}/acts/organisation.declare", "owner")
def declare_ties(world) -> Sent:
    found = ask(world, "owner", "get", "/api/organisations/plant").json()
    yield "/api/organisations/plant/acts/organisation.declare", {**found, "related": ["acme"]}
    ask(world, "owner", "post", "/api/organisations/plant/acts/organisation.declare", {**found, "related": []})


def _thread(world) -> str:
    question = {"subject": SCENARIO, "title": "Row 7", "text": "Which shift?"}
    return "/api/threads/" + ask(world, "supplier", "post", "/api/threads", question).json()["identity"]


def _replied(world) -> str:
    path = _thread(world)
    ask(world, "owner", "post", f"{path}/messages", {"text": "The late one."})
    return path


@case("post /api/threads", "supplier")
def open_a_thread(world) -> Sent:
    yield "/api/threads", {"subject": SCENARIO, "title": new_name("row"), "text": "Which shift?"}


def _room(world) -> str:
    """Return the address of a room to which both sides have agreed."""
    asked = {"demand": SCENARIO, "application": APPLICATION, "words": "Let us talk."}
    path = "/api/rooms/" + ask(world, "supplier", "post", "/api/rooms", asked).json()["identity"]
    ask(world, "owner", "post", f"{path}/agreement")
    return path


@case("post /api/rooms/{room}/questions", "supplier")
def ask_in_a_room(world) -> Sent:
    yield f"{_room(world)}/questions", {"words": "How often?"}


@case("post /api/rooms/{room}/questions/{number}/answers", "owner")
def answer_in_a_room(world) -> Sent:
    asked = ask(world, "supplier", "post", f"{_room(world)}/questions", {"words": "Since when?"}).json()
    yield f"/api/rooms/{asked['identity']}/questions/{asked['entries'][-1]['number']}/answers", {"words": "May."}


@case("post /api/rooms/{room}/minutes", "owner")
def minutes_in_a_room(world) -> Sent:
    yield f"{_room(world)}/minutes", {"day": "2026-05-01", "words": "Walked the line."}


@case("post /api/rooms/{room}/decisions", "owner")
def decide_in_a_room(world) -> Sent:
    yield f"{_room(world)}/decisions", {"words": "Line 3 first."}


@case("post /api/rooms/{room}/steps", "owner")
def plan_in_a_room(world) -> Sent:
    yield f"{_room(world)}/steps", {"words": "Fit the sensor.", "who": "plant", "due": "2026-06-01"}


@case("post /api/threads/{thread}/messages", "owner")
def reply(world) -> Sent:
    yield f"{_thread(world)}/messages", {"text": "The late one."}


@case("put /api/threads/{thread}/messages/{number}", "owner")
def correct_a_message(world) -> Sent:
    path = f"{_replied(world)}/messages/2"
    yield path, {"text": "The early one."}
    ask(world, "owner", "put", path, {"text": "The night one."})


@case("post /api/threads/{thread}/messages/{number}/removal", "owner")
def remove_a_message(world) -> Sent:
    yield f"{_replied(world)}/messages/2/removal", {"reason": "Said in the wrong place."}


@case("put /api/threads/{thread}/answer", "supplier")
def mark_the_answer(world) -> Sent:
    path = f"{_replied(world)}/answer"
    yield path, {"message": 2}
    ask(world, "supplier", "put", path, {"message": None})


@case("post /api/services", "owner")
def put_into_service(world) -> Sent:
    yield "/api/services", {"name": new_name("press"), "certificate": world.serial}


@case("post /api/services/overrides", "desk")
def admit_an_endpoint(world) -> Sent:
    made = {"service": new_name("assistant"), "organisation": "plant", "protocol": "openai", "model": "m"}
    yield "/api/services/overrides", {**made, "url": "https://models.example/v1", "reason": "pilot"}


@case("post /api/services/{service}/moves/{move}", "owner")
def stop_a_service(world) -> Sent:
    yield _move(world, "stop"), {"reason": "Line 3 is rebuilt."}
    ask(world, "owner", "post", _move(world, "start"), {"reason": "Line 3 runs."})


@case("post /api/services/{service}/moves/{move}", "owner")
def start_a_service(world) -> Sent:
    ask(world, "owner", "post", _move(world, "stop"), {"reason": "Line 3 is rebuilt."})
    yield _move(world, "start"), {"reason": "Line 3 runs."}
    ask(world, "owner", "put", f"/api/services/{world.press}/terms", {"ask_human": True})
    ask(world, "owner", "post", _move(world, "ask-human"), {"reason": "New people."})


@case("post /api/services/{service}/moves/{move}", "owner")
def start_what_serves(world) -> Sent:
    """It changes nothing, and is done all the same: a stop that comes after it stands."""
    ask(world, "owner", "post", _move(world, "start"), {"reason": "Line 3 runs."})
    yield _move(world, "start"), {"reason": "To be sure."}
    ask(world, "owner", "post", _move(world, "stop"), {"reason": "Line 3 is rebuilt."})


@case("post /api/services/{service}/hold-back", "owner")
def begin_a_hold_back(world) -> Sent:
    name = _asking(world)
    yield f"/api/services/{name}/hold-back", {"cap": 100}


@case("post /api/services/{service}/hold-back/end", "owner")
def end_a_hold_back(world) -> Sent:
    name = _asking(world)
    ask(world, "owner", "post", f"/api/services/{name}/hold-back", {"cap": 100})
    yield f"/api/services/{name}/hold-back/end", {}


@case("post /api/services/{service}/outcomes", "owner")
def report_outcomes(world) -> Sent:
    name = _asking(world)
    ask(world, "owner", "post", f"/api/services/{name}/hold-back", {"cap": 100})
    yield f"/api/services/{name}/outcomes", {"outcomes": [{"unit": "machine-7", "cost": 120.5}]}


@case("post /api/services/{service}/release", "owner")
def release_a_version(world) -> Sent:
    yield f"/api/services/{_older(world)}/release", {"certificate": world.serial}


@case("post /api/services/{service}/release/{end}", "owner")
def promote_a_version(world) -> Sent:
    path = f"/api/services/{_older(world)}/release"
    ask(world, "owner", "post", path, {"certificate": world.serial})
    yield f"{path}/promote", {"reason": "The shift knows it."}


def _asking(world) -> str:
    """Return a new service in whose place a person may answer."""
    name = new_name("press")
    ask(
        world,
        "owner",
        "post",
        "/api/services",
        {"name": name, "certificate": world.serial, "terms": {"ask_human": True}},
    )
    return name


def _older(world) -> str:
    """Return a new service that answers by another version."""
    from pilotbase.hub.base import base

    name = new_name("press")
    ask(world, "owner", "post", "/api/services", {"name": name, "certificate": world.serial})
    let_an_older_version_answer(base().lab.view, name)
    return name


@case("post /api/services/{service}/consents/{consent}/decision", "owner")
def grant_an_act(world) -> Sent:
    from pilotbase.hub.base import base

    name = token_hex(16)
    let_ask(base().lab.view, world.press, name)
    yield f"/api/services/{world.press}/consents/{name}/decision", {"granted": True}


def _move(world, move: str) -> str:
    return f"/api/services/{world.press}/moves/{move}"


@case("post /api/services/{service}/keys", "owner", again=409)
def make_a_key(world) -> Sent:
    yield f"/api/services/{world.press}/keys", {"title": new_name("line")}


@case("delete /api/services/{service}/keys/{key}", "owner")
def revoke_a_key(world) -> Sent:
    keys = f"/api/services/{world.press}/keys"
    yield f"{keys}/{ask(world, 'owner', 'post', keys, {'title': 'line 3'}).json()['identity']}", {}


@case("put /api/services/{service}/exposure", "owner")
def grant_an_exposure(world) -> Sent:
    """Granted again by a later request it begins anew; the first, sent once more, leaves it."""
    path = f"/api/services/{world.press}/exposure"
    yield path, {"cases": 100, "reason": "first months"}
    ask(world, "owner", "put", path, {"cases": 10**12, "reason": "as many as come"})


@case("put /api/services/{service}/budgets/{budget}", "owner")
def set_a_budget(world) -> Sent:
    path = f"/api/services/{world.press}/budgets/main"
    yield path, {"calls": 100}
    ask(world, "owner", "put", path, {"calls": 200})


@case("put /api/services/{service}/terms", "owner")
def set_terms(world) -> Sent:
    path = f"/api/services/{world.press}/terms"
    yield path, {"workers": 2}
    ask(world, "owner", "put", path, {"workers": 3, "ask_human": True})


@case("put /api/services/{service}/runbook", "owner")
def change_a_runbook(world) -> Sent:
    path = f"/api/services/{world.press}/runbook"
    usual = default_runbook(world.press).to_json_value()
    yield path, {**usual, "reporter": "critical_infrastructure"}
    ask(world, "owner", "put", path, usual)


@case("post /api/services/{service}/watch/replays", "desk")
def replay_a_watch(world) -> Sent:
    yield "/api/services/milling/watch/replays", TERMS.model_dump(mode="json")
    world.watch.arm()


@case("post /api/services/{service}/watch/arming", "desk")
def arm_a_watch(world) -> Sent:
    terms = TERMS.model_dump(mode="json")
    replayed = ask(world, "desk", "post", "/api/services/milling/watch/replays", terms).json()
    yield "/api/services/milling/watch/arming", {"replay": Replay.model_validate(replayed).digest()}
    ask(world, "desk", "post", "/api/services/milling/watch/disarming")


@case("post /api/services/{service}/watch/disarming", "desk")
def disarm_a_watch(world) -> Sent:
    world.watch.arm()
    yield "/api/services/milling/watch/disarming", {}
    world.watch.arm()


@case("post /api/warnings/{digest}/acknowledgement", "owner")
def take_care_of_a_warning(world) -> Sent:
    raised = raise_warning(world.trial.store, warning(world.watch.store, service="milling", detector=new_name("drift")))
    yield f"/api/warnings/{raised}/acknowledgement", {"note": "I look at it."}


@case("post /api/services/{service}/silences", "desk")
def let_notices_rest(world) -> Sent:
    yield "/api/services/milling/silences", _silence()
    ask(world, "desk", "post", "/api/services/milling/silences/end", {})


@case("post /api/services/{service}/silences/end", "desk")
def let_notices_go_out(world) -> Sent:
    ask(world, "desk", "post", "/api/services/milling/silences", _silence())
    yield "/api/services/milling/silences/end", {}
    ask(world, "desk", "post", "/api/services/milling/silences", _silence())


def _silence() -> dict[str, object]:
    return {"reason": new_name("maintenance"), "until": (datetime.now(UTC) + timedelta(hours=8)).isoformat()}


@case("post /api/services/{service}/erasures", "owner")
def erase_a_case(world) -> Sent:
    name = new_name("case")
    ask(world, "owner", "post", "/api/services/milling/observations", _observed(name).to_json_value())
    yield "/api/services/milling/erasures", {"case": name}


def _observed(name: str):
    return observed(name, datetime.now(UTC), {name: "fine"}, inputs={"x": [0.1], "shift": ["day"]})


@case("post /api/webhooks", "owner", again=409)
def add_a_webhook(world) -> Sent:
    yield "/api/webhooks", {"url": "http://127.0.0.1:9/hook"}


@case("delete /api/webhooks/{webhook}", "owner")
def end_a_webhook(world) -> Sent:
    yield f"/api/webhooks/{_webhook(world, 'http://127.0.0.1:9/hook')}", {}


@case("post /api/webhooks/{webhook}/messages", "owner")
def try_a_webhook(world) -> Sent:
    webhook = f"/api/webhooks/{_webhook(world, 'http://127.0.0.1:9/tried')}"
    yield f"{webhook}/messages", {}
    assert len(ask(world, "owner", "get", f"{webhook}/messages").json()) == 1


@case("post /api/webhooks/{webhook}/messages/{message}/replay", "owner")
def send_a_message_again(world) -> Sent:
    with receiving() as receiver:
        webhook = f"/api/webhooks/{_webhook(world, receiver.url)}"
        ask(world, "supplier", "post", "/api/trials/c1/acts/appeal.file", {"grounds": "Labels were wrong."})
        rounds(world)
        messages = ask(world, "owner", "get", f"{webhook}/messages").json()
        yield f"{webhook}/messages/{messages[0]['identity']}/replay", {}
        rounds(world)
    ask(world, "owner", "delete", webhook)


def _webhook(world, url: str) -> str:
    return ask(world, "owner", "post", "/api/webhooks", {"url": url}).json()["identity"]


@case("post /api/services/{service}/observations", "owner", counted=REPEATS)
def hand_in_observations(world) -> Sent:
    yield "/api/services/milling/observations", _observed(new_name("seen")).to_json_value()


@case("post /api/services/{service}/labels", "owner", counted=REPEATS)
def hand_in_labels(world) -> Sent:
    name = new_name("labelled")
    ask(world, "owner", "post", "/api/services/milling/observations", _observed(name).to_json_value())
    yield "/api/services/milling/labels", labelled(name, {name: "broken"}).to_json_value()


@case("post /api/services/{service}/batches", "owner", counted=REPEATS)
def hand_in_batches(world) -> Sent:
    name = new_name("both")
    batches = [_observed(name).to_json_value(), labelled(name, {name: "broken"}).to_json_value()]
    yield "/api/services/milling/batches", {"batches": batches}


@case("post /api/uploads/{identity}/finish", "owner")
def finish_an_upload(world) -> Sent:
    owner, content = world.client("owner"), new_name("bytes").encode()
    place = announced(owner, content)["Location"]
    assert owner.put(f"{place}/pieces/0", content, **BYTES).status_code == 200
    yield f"{place}/finish", {}


@case("post /api/uploads/{identity}/world", "owner")
def check_a_world(world) -> Sent:
    yield f"/api/uploads/{sent(world.client('owner'), new_name('world').encode())}/world", {}


@case("post /api/matches/followed", "owner")
def follow_matches(world) -> Sent:
    yield "/api/matches/followed", {"subject": SCENARIO}


@case("post /api/notices/read", "owner")
def read_notices(world) -> Sent:
    yield "/api/notices/read", {}


@case("put /api/notices/mail", "owner")
def choose_mail(world) -> Sent:
    yield "/api/notices/mail", {"mail": "daily"}


ROADMAP = {
    "document": "roadmap/1",
    "title": "2030",
    "phases": [{"phase": "p2", "tasks": [{"scenario": SCENARIO, "start": "2028-01-01", "end": "2030-12-31"}]}],
}


EFFECT = {"stated_on": "2026-01-02", "occupations": [{"code": "isco-08:4132", "people": 40}]}


@case("put /api/workforce/scenarios/{owner}/{name}", "owner")
def state_the_effect_on_employment(world) -> Sent:
    yield "/api/workforce/scenarios/plant/milling", EFFECT


@case("post /api/workforce/scenarios/{owner}/{name}/staffing", "owner")
def report_staffing(world) -> Sent:
    world.client("owner").put("/api/workforce/scenarios/plant/milling", EFFECT, "application/json")
    yield "/api/workforce/scenarios/plant/milling/staffing", {"day": "2026-01-02", "people": 39}


@case("put /api/workforce/occupations", "desk")
def load_occupations(world) -> Sent:
    yield "/api/workforce/occupations", dict(workforce.SET_OCCUPATIONS.example)


@case("put /api/workforce/sectors", "desk")
def load_sectors(world) -> Sent:
    yield "/api/workforce/sectors", dict(workforce.SET_SECTORS.example)


@case("post /api/scenarios/{owner}/{name}/potential", "reviewer")
def score_a_potential(world) -> Sent:
    yield "/api/scenarios/plant/milling/potential", {"potential": 4, "words": "Downtime is costly."}


@case("put /api/roadmap/sheet", "desk")
def set_the_planning_sheet(world) -> Sent:
    yield "/api/roadmap/sheet", {"document": "planning/1", "potential": 2}


@case("post /api/roadmap/what-if", "desk")
def ask_what_if(world) -> Sent:
    world.client("desk").put("/api/roadmap", ROADMAP, "application/json")
    yield "/api/roadmap/what-if", {"potential": 2}


@case("post /api/roadmap/proposal", "desk")
def propose_a_plan(world) -> Sent:
    world.client("desk").put("/api/roadmap", ROADMAP, "application/json")
    yield "/api/roadmap/proposal", {}


@case("post /api/roadmap/proposal/adopt", "desk")
def adopt_a_plan(world) -> Sent:
    world.client("desk").put("/api/roadmap", ROADMAP, "application/json")
    world.client("desk").post("/ledger/plan/propose/")
    seen = world.client("desk").get("/api/roadmap/proposal").json()["digest"]
    yield "/api/roadmap/proposal/adopt", {"title": "To 2030", "seen": seen}


@case("post /api/periods", "desk")
def close_a_period(world) -> Sent:
    yield "/api/periods", {"period": "2025-Q4", "staff": 12}


@case("post /api/periods/{period}/signature", "planner")
def sign_a_period(world) -> Sent:
    world.client("desk").post("/api/periods", {"period": "2025-Q3"}, **JSON)
    yield "/api/periods/2025-Q3/signature", {}


@case("post /api/period-comparisons", "desk")
def compare_a_report(world) -> Sent:
    world.client("desk").post("/api/periods", {"period": "2025-Q4"}, **JSON)
    yield "/api/period-comparisons", world.client("desk").get("/api/periods/2025-Q4").json()


@case("post /api/advisories", "desk")
def ask_what_an_advisory_meets(world) -> Sent:
    affected = [{"package": {"ecosystem": "PyPI", "name": "numpy"}, "versions": ["1.0.0"]}]
    yield "/api/advisories", {"id": "OSV-1", "affected": affected}


@case("post /api/advisories/kept", "desk")
def keep_an_advisory(world) -> Sent:
    affected = [{"package": {"ecosystem": "PyPI", "name": "numpy"}, "versions": ["1.0.0"]}]
    yield "/api/advisories/kept", {"id": "OSV-1", "affected": affected}


@case("put /api/roadmap", "desk")
def set_the_roadmap(world) -> Sent:
    yield "/api/roadmap", ROADMAP
