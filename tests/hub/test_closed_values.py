"""No page, operation, error or download tells a hidden value to anybody: every address × person, around a real trial.

The application prints all that it is asked, labels are planted as unmistakable words, and so is every number. What
operator, owner and regulator take on purpose (the sample bundle, logged) holds labels, and no feature.
"""

import random
import re
from collections import deque

import polars as pl
import pytest

from pilotbase.documents.permissions import Act
from pilotbase.vault.sealing import HiddenSet
from tests.catalogue.records_for_tests import DESK
from tests.data.private.closed_for_tests import runs
from tests.hub.closed_for_tests import ADDRESS
from tests.hub.reaches_for_tests import COLUMNS, PAGES
from tests.hub.told_for_tests import JSON, tell_closed, tell_more, tell_rest
from tests.trial.conftest import writing_application, writing_scenario
from tests.worker.commissions_for_tests import Ordered

QUICK = ("supplier", 30)
"""Who gains most by it, and some pages; ``make prove`` asks everybody all of them."""
PEOPLE = (
    "supplier",
    "visitor",
    "owner",
    "reviewer",
    "stranger",
    "desk",
    "other-owner",
    "other-supplier",
    "other-reviewer",
    "regulator",
)
MOST_PAGES = 250
"""Of one person: about three times what there is to be found."""
SAME_FOR_ALL = ("/static/", "/language/", "/docs/", "/api/docs/")
REFUSED = {
    "/api/datasets/{owner}/{name}/files/{file}": "nobody takes a closed file",
    "/api/datasets/{owner}/{name}/preview": "nobody sees its first rows",
    "/api/labelling/{asked}/sheet": "its three people alone see an item",
    "/api/labelling/{asked}/items": "before all is decided, nobody",
}
"""Operations that tell nobody here anything."""
NOT_HERE = {
    "/api/threads/{thread}/messages/{number}/files/{digest}",
    "/api/webhooks/{webhook}/messages",
    "/api/scenarios/{owner}/{name}/board",
    "/api/services/{service}/consents/{consent}",
    "/api/tenders/{tender}",
    "/api/calls/{owner}/{name}",
    "/api/calls/{owner}/{name}/claims",
    "/api/calls/{owner}/{name}/scores",
    "/api/calls/{owner}/{name}/file",
    "/api/scenarios/{owner}/{name}/kit",
    "/api/services/{service}/watch/path",
    "/api/incidents/{number}",
    "/api/pools/{pool}",
    "/api/pools/{pool}/jobs",
    "/api/pools/{pool}/usage",
    "/api/pools/{pool}/what-ifs",
    "/api/pools/{pool}/what-ifs/{asked}",
    "/api/pools/{pool}/what-ifs/{asked}/replay",
    "/api/pool-jobs/{job}",
    "/api/pool-jobs/{job}/members/{member}/log",
    "/api/pool-jobs/{job}/members/{member}/output",
    "/api/trials/{name}/estimate",
    "/api/voucher-claims/{asked}",
    "/api/voucher-claims/{asked}/files/{digest}",
    "/api/voucher-programmes/{programme}",
    "/api/voucher-programmes/{programme}/evidence",
    "/api/capabilities/{owner}/{name}",
    "/api/matches/capabilities/{owner}/{name}",
    "/api/profiles",
    "/api/roadmap/proposal",
    "/api/rooms/{room}",
    "/api/rooms/{room}/files/{number}",
}
"""What they are about does not stand in this world: a board, files of people, consents, incidents, machines, a trial
under way, claims on vouchers, calls, capabilities, rooms, a plan. Their own tests ask them."""
LINK = re.compile(rb'(?:href|src|action|hx-get)="(/[^"#]*)')
PRINTING = """import sys
def predict(batch):
    print(list(zip(batch['pressure'], batch['age'], batch['site'])), flush=True)
    print(list(batch['pressure']), file=sys.stderr, flush=True)
    return ['broken' if p > 6 else 'fine' for p in batch['pressure']]
"""


def plant(folder) -> None:
    """Let every row have a key and a number that stand nowhere else."""
    draw, rows = random.Random(11), pl.read_csv(folder / "cases.csv")
    numbers = [round(value + draw.random() / 1000, 9) for value in rows["pressure"]]
    keys = [f"K{draw.randrange(10**12):012d}" for _ in range(rows.height)]
    rows.with_columns(pressure=pl.Series(numbers), case_id=pl.Series(keys)).write_csv(folder / "cases.csv")


@pytest.fixture(scope="module")
def tried(one_world, tmp_path_factory):
    """A world with an accepted trial of an application that prints what it sees, and what was hidden from it."""
    from pilotbase.hub.base import base

    place = tmp_path_factory.mktemp("closed")
    scenario = writing_scenario(place)(change=lambda content: content + "  approvals: [{kind: ethics}]\n")
    plant(scenario)
    ordered = Ordered(base())
    ordered.open(scenario, writing_application(place)(PRINTING))
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    ordered.do_queued()
    ordered.accept()
    ordered.work()
    one_world.ordered, one_world.hidden = ordered, hidden_words(ordered, scenario)
    one_world.hidden += tell_of_closed(one_world, tmp_path_factory.mktemp("kept"))
    return one_world


def tell_of_closed(world, place) -> list[bytes]:
    """Let a closed dataset be told of in every way that there is, and return what its numbers are."""
    draw = random.Random(12)
    torque = [None if value is None else round(value + draw.random() / 1000, 9) for value in runs(800)["torque"]]
    world.known = tell_closed(world, place, runs(800).with_columns(torque=pl.Series(torque, dtype=pl.Float64)))
    world.known["/api/people/"] = {"person": "p-owner"}
    return [str(value).encode() for value in torque if value is not None and len(str(value)) > 8]


def hidden_words(ordered, scenario) -> list[bytes]:
    """Return what is written of the hidden rows: their keys and their numbers."""
    from pilotbase.trial.sealed import SealedScenario

    lab = ordered.base.lab
    (sealed,) = (one.load(SealedScenario) for one in lab.view.find("sealed-scenario", limit=10))
    public = pl.read_parquet(lab.vault.blobs.get(sealed.public_sample))
    rows = pl.read_csv(scenario / "cases.csv")
    hidden = rows.filter(~pl.col("pressure").is_in(public["pressure"].implode()))
    assert hidden.height == lab.view.load(sealed.hidden_set, HiddenSet).rows > 300
    return [str(word).encode() for word in [*hidden["case_id"], *hidden["pressure"]]]


@pytest.fixture(scope="module")
def answering(tried, tmp_path_factory):
    """The same world with the names of all that operations are about."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        tried.known |= tell_more(tried, tmp_path_factory.mktemp("more"), monkeypatch)
    tried.known |= known_of(tried) | tell_rest(tried, tmp_path_factory.mktemp("rest"))
    return tried


def known_of(world) -> dict[str, dict[str, str]]:
    """Return beginnings of addresses of operations → what their parameters are called here."""
    report = world.ordered.record().documents["report"]
    asked = {"subject": "scenario:plant/small-alarm", "title": "What?", "text": "Which?"}
    thread = world.client("supplier").post("/api/threads", asked, **JSON)
    announced = {"name": "x.zip", "size": 9, "digest": f"sha256:{'0' * 64}"}
    upload = world.client("owner").post("/api/uploads", announced, **JSON)
    assert (thread.status_code, upload.status_code) == (201, 201)
    scenario, application = {"owner": "plant", "name": "small-alarm"}, {"owner": "acme", "name": "alarm"}
    return {
        "/api/scenarios/": scenario,
        "/api/applications/": application,
        "/api/trials/": {"name": "c1"},
        "/api/organisations/": {"name": "plant"},
        "/api/agreements/": {"name": "a1"},
        "/api/matches/scenarios/": scenario,
        "/api/matches/applications/": application,
        "/api/certificates/": {"serial": report.partition(":")[2]},
        "/api/documents/": {"digest": report},
        "/api/ledger/": {"figure": "opened", "step": "agreed_frozen", "progress": "open"},
        "/api/uploads/": {"identity": upload.json()["identity"], "start": "0"},
        "/api/threads/": {"thread": thread.json()["identity"], "number": "1"},
    }


def operations(world, *methods):
    """Yield (method, path, address, operation) of the schema, with the names of what there is here."""
    for path, operations in world.client().get("/api/openapi.json").json()["paths"].items():
        beginning = max((one for one in world.known if path.startswith(one)), key=len, default="")
        named = world.known.get(beginning, {})
        for method, operation in operations.items():
            if method in methods:
                examples = {one["name"]: one.get("example") for one in operation.get("parameters", [])}
                yield method, path, path.format(**{**examples, **named}) + named.get("?", ""), operation


def addresses() -> list[str]:
    """Return every address of the table of who reaches what, for this trial and its digests left out."""
    told = [line.split()[0] for line in PAGES.strip().splitlines()[1:]]
    renamed = (one.replace("plant/milling", "plant/small-alarm").replace("acme/forest", "acme/alarm") for one in told)
    return [one for one in renamed if "{" not in one and one != "/live/"]  # a stream of names that ends in ten minutes


def answers(world, who, most):
    """Yield (address, body) of what a person finds, from every known address on, link by link, so many pages more."""
    browser = world.client(None if who == "visitor" else who)
    waiting, seen = deque(addresses()), set(addresses())
    while waiting and len(seen) < len(addresses()) + most:
        address = waiting.popleft()
        found = browser.get(address)
        body = b"".join(found.streaming_content) if found.streaming else found.content
        yield address, body
        for link in LINK.findall(body):
            path = link.decode().replace("&amp;", "&")
            if path not in seen and not path.startswith(SAME_FOR_ALL):
                seen.add(path)
                waiting.append(path)


@pytest.mark.parametrize(
    ("who", "most"), [QUICK, *(pytest.param(who, MOST_PAGES, marks=pytest.mark.prove) for who in PEOPLE)]
)
def test_nobody_is_told_a_hidden_value_by_any_page_operation_or_error(tried, who, most):
    wanted = re.compile(b"|".join(re.escape(word) for word in tried.hidden))
    told, read = [], 0
    for address, body in answers(tried, who, most):
        read += 1
        match = wanted.search(body)
        if match is not None:
            told.append((address, match[0]))
    assert told == []
    assert read > min(most, 100)


@pytest.mark.prove
def test_every_operation_that_reads_is_answered_and_tells_nobody(answering):
    """With the names of what there is: an operation that is added is asked and answered here, or this fails."""
    wanted = re.compile(b"|".join(re.escape(word) for word in answering.hidden))
    browsers = {who: answering.client(None if who == "visitor" else who) for who in COLUMNS}
    told, unanswered = [], set()
    for _, path, address, _ in operations(answering, "get"):
        found = {who: _asked(browser.get(address)) for who, browser in browsers.items()}
        told += [(who, address) for who, (_, body) in found.items() if wanted.search(body)]
        if not any(status < 300 for status, _ in found.values()):
            unanswered.add(path)
    assert told == []
    assert sorted(unanswered - set(REFUSED) - NOT_HERE) == [], "asked of nothing that there is"
    assert sorted((set(REFUSED) | NOT_HERE) - unanswered) == [], "answered after all"


@pytest.mark.prove
def test_the_search_is_not_blind(tried):
    """What somebody writes into a record is found, by whoever reads it."""
    key = tried.hidden.pop(0).decode()  # from here on everybody who reads the record is told
    tried.ordered.do(DESK, Act.CERTIFICATE_SUSPEND, note=f"Complaint about case {key}.")
    seen = dict(answers(tried, "supplier", MOST_PAGES))
    assert any(address.startswith(ADDRESS) and b"<svg" not in body for address, body in seen.items())
    assert any(b"discrete Laplace" in body for body in seen.values()), "the answers were read"
    found = [address for address, body in seen.items() if key.encode() in body]
    assert "/trials/c1/" in found
    assert any(address.startswith("/api/trials/c1") for address in found)


@pytest.mark.prove
def test_no_operation_that_writes_tells_a_hidden_value(answering):
    """Whatever is sent, by whoever: last, for the owner may take things away."""
    wanted = re.compile(b"|".join(re.escape(word) for word in answering.hidden))
    schema = answering.client().get("/api/openapi.json").json()["components"]["schemas"]
    wrong, asked, taken = [], 0, set()
    for who in ("visitor", "other-supplier", "supplier", "regulator", "desk", "owner"):
        browser = answering.client(None if who == "visitor" else who, raise_request_exception=False)
        for method, path, address, operation in operations(answering, "post", "put", "delete"):
            for body in ({}, _example(operation, schema)):
                status, answer = _asked(getattr(browser, method)(address, body, **JSON))
                asked += 1
                taken |= {path} if status < 300 else set()
                if status >= 500 or wanted.search(answer):
                    wrong.append((who, method, address, status))
    assert wrong == []
    assert asked > 1000 and len(taken) > 20


def _example(operation, schema) -> dict:
    reference = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return schema.get(reference.get("$ref", "").rpartition("/")[2], {}).get("examples", [{}])[0]


def _asked(found) -> tuple[int, bytes]:
    return found.status_code, b"".join(found.streaming_content) if found.streaming else found.content
