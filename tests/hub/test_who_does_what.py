"""Every declared operation × person × log-in, from its row of the permissions: who may not is refused, or sees nothing.

Its own tests say what it does for those who may; here they are only not turned away.
"""

import json
from contextlib import suppress

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import (
    Act,
    DeskAct,
    PluginAct,
    ReadScope,
    SubjectRelation,
    permitted,
)
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.api.examples import EXAMPLES
from pilotbase.operations import declared, records
from pilotbase.operations.operation import NOTHING, Callers, Operation, Repeated
from pilotbase.operations.services import OfService
from pilotbase.worker.operations.binding import BOUND
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError
from tests.hub.live_for_tests import token_of
from tests.hub.services_for_tests import serve
from tests.hub.test_every_answer_is_documented import undocumented
from tests.hub.worlds_for_tests import PEOPLE
from tests.watch.incidents_for_tests import keep_service, open_one

OPERATIONS = list(declared().values())
ASKED = [one for one in OPERATIONS if one.callers is not Callers.UNASKED]
VISITED = (Callers.EVERYBODY, Callers.UNASKED)
PLACES = {
    "service": "milling",
    "number": "1",
    "move": "start",
    "end": "promote",
    "key": "0123456789abcdef",
    "consent": "0" * 32,
    "budget": "main",
    "start": "0",
    "thread": "0" * 16,
    "room": "0" * 16,
    "course": "milling",
    "part": "practice",
    "badge": "0" * 64,
    "pool": "hall-9",
    "asked": "0" * 64,
    "tender": "0" * 64,
    "job": "none",
    "member": "0",
    "organisation": "plant",
    "programme": "example-2027",
    "owner": "plant",
    "name": "milling",
    "figure": "opened",
    "step": "agreed_frozen",
    "progress": "open",
    "serial": "0" * 64,
    "webhook": "0" * 16,
    "message": f"msg_{'0' * 32}",
    "file": "milling.csv",
    "site": "plant-site",
    "person": "p-nobody",
    "period": "2026-Q2",
    "token": "1",
    "domain": "plant.example",
}
"""Field of an address → what there is, or might be."""
QUERIES = {
    "watch.path": "?detector=drift:torque",
    "exchange.attach": "?name=a.txt",
    "rooms.share": "?name=a.txt&terms=none",
}
OF_WHAT_IS_SENT = {"steps.propose", *(one.name for one in records.SAVE.values())}
"""What is sent says whose it is, and what stands there already may be sent by whoever sees it: see `test_api`."""
SHOWN = {"matches.scenario", "matches.providers", "matches.scenario_sites", "ledger.records", "ledger.step",
         "trials.board", "trials.tenders"}  # fmt: skip
"""An open scenario, its board and tenders are there for others; who owns demand reads their own part of the ledger."""
OF_THE_CALLER = {f"learning.{one}" for one in ("start", "quiz", "practise", "try", "cases", "answer", "badge")}
"""A course is there for everybody, and what they do in it is their own: see `test_learning`."""
OWNED = [
    one
    for one in OPERATIONS
    if one.in_path
    and one.name not in SHOWN | OF_WHAT_IS_SENT | OF_THE_CALLER
    and one.callers in (Callers.MEMBERS, Callers.OBSERVERS)
]
TURNED_AWAY = {
    "hub.login_needed",
    "hub.token_invalid",
    "hub.role_missing",
    "service.not_yours",
    "watching.not_permitted",
    "incident.not_permitted",
    "thread.not_permitted",
}


@pytest.fixture(scope="module")
def world(one_world):
    one_world.trial.reach("certified")
    serve(one_world)
    keep_service(one_world.trial.store)
    open_one(one_world.trial.store)
    one_world.browsers = {who: one_world.client(who) for who in (None, *PEOPLE)}
    wanted = {"title": "t", "scopes": ["observe"]}
    keys = one_world.browsers["owner"].post("/api/services/milling/keys", wanted, content_type="application/json")
    one_world.observing = keys.json()["secret"]
    one_world.schema = one_world.client().get("/api/openapi.json").json()["paths"]
    return one_world


def in_turn(one):
    """Return the people, begun at another for each operation."""
    people, begin = list(PEOPLE.items()), OPERATIONS.index(one) % len(PEOPLE)
    return people[begin:] + people[:begin]


def sample(one):
    return one.example or EXAMPLES.get(getattr(one.sent, "__name__", ""), {})


def send(world, one, who=None, **headers):
    """Send it as a person, logged in once; ``headers`` go with it."""
    places = PLACES | {"digest": f"sha256:{'0' * 64}", "identity": "0" * 32}
    address = f"/api{one.path.format(**{name: places[name] for name in one.in_path})}{QUERIES.get(one.name, '')}"
    kind = one.media if one.takes_bytes else "application/json"
    told = {"data": json.dumps(sample(one)), "content_type": kind} if one.writes else {}
    found = getattr(world.browsers[who], one.method.lower())(address, **told, **headers)
    assert not undocumented(world.schema[f"/api{one.path}"][one.method.lower()], found), (one.name, found.content)
    return found.status_code, found.json().get("code") if found.status_code >= 400 else None


@pytest.mark.one_in(5)
@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_who_is_not_logged_in_does_nothing(world, one):
    status, _ = send(world, one)
    assert (status != 401) == (one.callers in VISITED)
    unknown = {"HTTP_AUTHORIZATION": "Bearer pilot_nobody"}
    found = send(world, one, **unknown)
    assert (found != (401, "hub.token_invalid")) == (one.callers is Callers.UNASKED)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("one", [one for one in ASKED if one.writes], ids=lambda one: one.name)
def test_a_token_that_only_reads_writes_nothing(world, one):
    reads = {"HTTP_AUTHORIZATION": f"Bearer {token_of(world, 'owner', scope='read')}"}
    assert send(world, one, **reads) == (403, "hub.token_read_only")


@pytest.mark.parametrize("few", [True, pytest.param(False, marks=pytest.mark.prove)], ids=["in-turn", "all"])
@pytest.mark.parametrize(
    "one", [one for one in OPERATIONS if one.who and one.name not in OF_WHAT_IS_SENT], ids=lambda one: one.name
)
def test_a_person_does_what_the_table_lets_them_and_nothing_else(world, one, few):
    """In turn, one who may and two who may not; everybody in the long proofs."""
    wrong, asked = [], {True: 0, False: 0}
    for who, (organisation, role) in in_turn(one) if few else PEOPLE.items():
        actor = Actor(organisation, frozenset({Role(role)} if role else ()), f"p-{who}")
        whose = "plant" if one.in_path else organisation
        may = permitted(one.who, actor, SubjectRelation(organisation=whose, demand_owner="plant"))
        asked[may] += 1
        if few and asked[may] > (1 if may else 2):
            continue
        status, code = send(world, one, who)
        right = code not in TURNED_AWAY if may else status in (403, 404) or is_empty(one)
        if not right:
            wrong.append((who, may, status, code))
    assert not wrong, (one.name, one.who.grants, wrong)


def is_empty(one):
    """What is read of the base as a whole is empty for who may not: their test is beside the page."""
    return isinstance(one.who, ReadScope) and not one.in_path


@pytest.mark.parametrize("everybody", [False, pytest.param(True, marks=pytest.mark.prove)], ids=["in-turn", "all"])
@pytest.mark.parametrize("one", OWNED, ids=lambda one: one.name)
def test_what_is_of_another_organisation_does_not_exist(world, one, everybody):
    others = ("other-owner", "other-supplier", "stranger")
    for who in others if everybody else others[OPERATIONS.index(one) % 3 :][:1]:
        status, _ = send(world, one, who)
        refused = isinstance(one.who, DeskAct | PluginAct) or (one.writes and who == "stranger")
        assert status == 404 or (status == 403 and (refused or never(one, who))), (one.name, who)


def never(one, who):
    """Return whether the table lets somebody do it to nothing at all: that is said before anything is looked for."""
    roles = frozenset({Role(PEOPLE[who][1])}) if PEOPLE[who][1] else frozenset()
    return one.writes and one.who is not None and not any(grant.admits(roles) for grant in one.who.grants)


@pytest.mark.parametrize("who", [DeskAct.MANAGE, Act.PLAN_APPROVE, ReadScope.AUDIT])
def test_an_operation_whose_function_forgets_who_may_is_refused_all_the_same(world, monkeypatch, who):
    """The address names a record, so the function alone could say whether it is there."""
    from django.test import RequestFactory

    from pilotbase.hub.acting import RequestActor
    from pilotbase.hub.api.declared import _view

    done, harmless = set(), Repeated.HARMLESS
    forgetful = Operation("forgetful.do", "POST /forgetful/{service}", OfService, NOTHING, who=who, repeated=harmless)
    monkeypatch.setitem(BOUND, forgetful.name, lambda caller, wanted: done.add(caller.view.actor.organisation))
    view = _view(forgetful)
    for organisation, role in PEOPLE.values():
        request = RequestFactory().post("/")
        request.acting = RequestActor(None, Actor(organisation, frozenset({Role(role)} if role else ()), "p-1"))
        with suppress(RefusedError, NotFoundError):
            view(request, service="milling")
    assert done == {organisation for organisation, role in PEOPLE.values() if role in {one.role for one in who.grants}}


@pytest.mark.one_in(5)
@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_a_service_key_opens_what_is_for_observers_and_nothing_else(world, one):
    status, _ = send(world, one, HTTP_AUTHORIZATION=f"Bearer {world.observing}")
    assert (status != 401) == (one.callers in (Callers.OBSERVERS, Callers.UNASKED))
