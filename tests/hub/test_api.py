"""The API: who may call what, documents under their ETags, posts sent twice, problems in the caller's language."""

import copy
import importlib
import json
import pkgutil
from functools import reduce
from operator import getitem

import pydantic
import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import hash_secret
from pilotbase.documents.permissions import Act
from tests.catalogue.records_for_tests import OTHER_OWNER, scenario

JSON = {"content_type": "application/json"}
KEYED = {**JSON, "HTTP_IDEMPOTENCY_KEY": "k1"}
APPEAL = "/api/trials/c1/acts/appeal.file"


@pytest.fixture(scope="module")
def walked(any_world):
    any_world.trial.reach("certified")
    return any_world


def token(world, who, scope="write"):
    from datetime import timedelta

    from django.utils import timezone

    from pilotbase.hub.models import ApiToken, Membership
    from pilotbase.hub.people import tokens

    person = world.people[who]
    membership = Membership.objects.get(person=person)
    secret = tokens.new_secret("pilot")
    ApiToken.objects.create(
        person=person,
        organisation=membership.organisation,
        label="test",
        scope=scope,
        secret_hash=hash_secret(secret),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return secret


def caller(world, who, scope="write"):
    client = world.client(None, enforce_csrf_checks=True)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token(world, who, scope)}"
    return client


def test_schema_is_public_and_openapi_3_1(walked):
    schema = walked.client().get("/api/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    post = schema["paths"]["/api/trials/{name}/acts/plan.approve"]["post"]
    assert post["responses"]["422"] == {"$ref": "#/components/responses/UnprocessableContent"}
    assert "application/problem+json" in schema["components"]["responses"]["UnprocessableContent"]["content"]
    assert "#/components/schemas/Scenario" in json.dumps(
        schema["paths"]["/api/scenarios/{owner}/{name}"]["put"]["requestBody"]
    )


def test_read_and_edit(walked):
    owner = caller(walked, "owner")
    found = owner.get("/api/scenarios/plant/milling")
    assert found.status_code == 200, found.content
    assert owner.get("/api/scenarios/plant/milling", HTTP_IF_NONE_MATCH=found["ETag"]).status_code == 304
    listed = owner.get("/api/scenarios?q=铣床").json()
    assert listed["total"] == 1, listed
    changed = {**found.json(), "intended_use": "Warn the next shift."}
    stale = owner.put(
        "/api/scenarios/plant/milling",
        changed,
        **JSON,
        HTTP_IF_MATCH='"sha256:%s"' % ("0" * 64),
    )
    assert stale.status_code == 412 and "plant" in stale.json()["title"], "it says what the others did"
    saved = owner.put("/api/scenarios/plant/milling", changed, **JSON, HTTP_IF_MATCH=found["ETag"])
    assert saved.status_code == 200, saved.content
    assert saved.json()["state"] == "draft"


def test_posts_may_be_sent_again(walked):
    supplier = caller(walked, "supplier")
    body = {"grounds": "Labels were wrong."}
    first = supplier.post(APPEAL, body, **KEYED)
    assert first.status_code == 200, first.content
    again = supplier.post(APPEAL, body, **KEYED)
    assert (again.status_code, again.content, again["ETag"]) == (200, first.content, first["ETag"])
    assert len(supplier.get("/api/trials/c1/record").json()["appeals"]) == 1
    other = supplier.post(
        APPEAL,
        {"grounds": "Other."},
        **JSON,
        HTTP_IDEMPOTENCY_KEY="k1",
    )
    assert (other.status_code, other.json()["code"]) == (422, "hub.idempotency_reused")
    owner = caller(walked, "owner").post(APPEAL, body, **KEYED)
    assert owner.status_code == 200 and owner.content != first.content, "keys of others are others'"


def test_a_stale_step_says_what_others_did(walked):
    supplier = caller(walked, "supplier")
    seen = supplier.get("/api/trials/c1/record")["ETag"]
    caller(walked, "owner").post(APPEAL, {"grounds": "More."}, **JSON)
    stale = supplier.post(APPEAL, {"grounds": "Mine."}, **JSON, HTTP_IF_MATCH=seen)
    assert stale.status_code == 412 and "plant" in stale.json()["title"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"grounds"}),
        ({"grounds": 7}, {"grounds"}),
        ({"grounds": "x", "more": 1}, {"more"}),
        ({"grounds": "x" * 5000}, {"grounds"}),
    ],
)
def test_bad_bodies_are_told_field_by_field(walked, body, paths):
    found = caller(walked, "supplier").post(APPEAL, body, **JSON)
    assert found.status_code == 422 and found["Content-Type"] == "application/problem+json"
    assert {one["path"].rpartition(".")[2] for one in found.json()["problems"]} == paths


def test_what_does_not_hold_between_fields_is_told(walked):
    """Certificate or trial, but not neither: known only once the body stands beside the address."""
    found = caller(walked, "owner").post("/api/services/milling/release", {}, **JSON)
    assert found.status_code == 422 and "certificate" in str(found.json()["problems"])


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"grounds": NaN}', b"null", b'"x"', b"7" * 10_000]
)
def test_garbage_is_no_failure_of_ours(walked, raw):
    browser = caller(walked, "supplier")
    found = browser.post(APPEAL, raw, **JSON)
    assert 400 <= found.status_code < 500 and found["Content-Type"] == "application/problem+json", found.content
    checked = browser.post("/api/certificates/check", raw, **JSON)
    assert checked.status_code == 200 and checked.json()["holds"] is False


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "after=scenario:none/none", "q=" + "x" * 300])
def test_bad_queries_are_told(walked, query):
    found = caller(walked, "supplier").get(f"/api/scenarios?{query}")
    assert found.status_code == 422 and found.json()["code"], found.content


def test_a_certificate_is_checked_by_anybody(walked):
    serial = walked.trial.report.digest().partition(":")[2]
    visitor = walked.client()
    told = visitor.get(f"/api/certificates/{serial}").json()
    assert told["holds"] and told["certificate"]["serial"].endswith(serial)
    bom = visitor.get(f"/api/certificates/{serial}/exports/cyclonedx")
    assert bom["Content-Disposition"].endswith(".cdx.json") and serial in b"".join(bom).decode()
    assert visitor.get(f"/api/certificates/{serial}/exports/nothing").status_code == 422
    envelope = visitor.get(f"/api/certificates/{serial}/envelope").content
    assert visitor.post("/api/certificates/check", envelope, **JSON).json()["holds"]
    forged = envelope.replace(b'"payload": "', b'"payload": "A', 1)
    assert not visitor.post("/api/certificates/check", forged, **JSON).json()["holds"]
    page = visitor.post("/certificates/", {"pasted": envelope.decode()}).content.decode()
    assert "status pass" in page and "status fail" in visitor.post("/certificates/", {"pasted": "{}"}).content.decode()
    assert b"<svg" in visitor.get(f"/certificates/{serial}/qr.svg").content


def test_lists_count_only_what_is_seen(walked):
    secret = scenario((), name="secret", owner={"organisation": "hospital"}, title="Unheard-of project")
    walked.trial.do(OTHER_OWNER, "scenario:hospital/secret", Act.SCENARIO_REGISTER, secret)
    for who, seen in (("other-owner", 1), ("desk", 1), ("owner", 0), ("supplier", 0)):
        found = caller(walked, who).get("/api/scenarios?q=unheard").json()
        assert (found["total"], len(found["items"])) == (seen, seen), who
    assert walked.client().get("/api/scenarios?q=unheard").json()["total"] == 0
    body = {**secret.to_json_value(), "problem": "Taken over"}
    stolen = caller(walked, "owner").put("/api/scenarios/hospital/secret", body, **JSON)
    nothing = caller(walked, "owner").put("/api/scenarios/hospital/none", {**body, "name": "none"}, **JSON)
    assert stolen.status_code == nothing.status_code == 403
    assert stolen.json() == nothing.json(), "whether the name is taken is not told"


def test_a_method_that_is_not_there_is_told(walked):
    found = walked.client().delete("/api/scenarios")
    assert (found.status_code, found["Content-Type"]) == (405, "application/problem+json")
    assert sorted(found["Allow"].split(", ")) == ["GET", "POST"]


def test_every_example_fits_its_model():
    from pilotbase import operations
    from pilotbase.documents.plugins import packages
    from pilotbase.documents.record import BROUGHT
    from pilotbase.hub.api.schema import EXAMPLES

    models = {}
    for package in map(importlib.import_module, (*packages("documents"), *packages("operations"))):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            models |= vars(importlib.import_module(found.name))
    models |= {model.__name__: model for model in BROUGHT.values()}
    models |= {one.sent.__name__: one.sent for one in operations.declared().values() if one.sent and one.in_path}
    for name, example in EXAMPLES.items():
        models[name].model_validate_json(json.dumps(example))
        for endless in ("0" * 3000, f"1.{'0' * 3000}", f"2026-01-01T00:00:00.{'0' * 3000}Z"):
            taken = {place: taken_at(models[name], example, place, endless) for place in leaves(example)}
            shortened = [place for place, found in taken.items() if found is not None and endless not in found]
            assert not shortened, (name, "an endless text passes as a number or a moment")


def leaves(value, place=()):
    """Yield the place of each plain value within an example."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    for key, part in parts or ():
        yield from leaves(part, (*place, key))
    if parts is None:
        yield place


def taken_at(model, example, place, value):
    """Return as JSON what ``model`` makes of an example with another value at a place; None if it refuses it."""
    example = copy.deepcopy(example)
    part = reduce(getitem, place[:-1], example)
    part[place[-1]] = value
    try:
        return model.model_validate(example).model_dump_json(by_alias=True)
    except (pydantic.ValidationError, PilotbaseError):
        return None


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b'{"grounds": "x"}', "text/plain", 415),
        (b'{"grounds": "x"}', "application/x-www-form-urlencoded", 415),
        (b'{"grounds": "\\ud800"}', "application/json", 400),
        (b'{"grounds": "a\\u0000b"}', "application/json", 422),
        (b'{"grounds": "' + b"x" * (3 << 20) + b'"}', "application/json", 413),
    ],
)
def test_bodies_of_another_kind_are_told(walked, raw, kind, status):
    found = caller(walked, "supplier").post(APPEAL, raw, content_type=kind, HTTP_ACCEPT_LANGUAGE="zh")
    assert found.status_code == status and found["Content-Type"] == "application/problem+json", found.content
    assert any("\u4e00" <= letter <= "\u9fff" for letter in found.json()["title"])


def test_a_token_that_asks_too_often_waits(walked, settings_of_hub):
    settings_of_hub(token_requests=3)
    supplier = caller(walked, "supplier")
    answers = [supplier.get("/api/me") for _ in range(8)]  # a minute may begin in between: six pass at most
    refused = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == 200 and refused
    assert 1 <= int(refused[0]["Retry-After"]) <= 60
    assert caller(walked, "supplier").get("/api/me").status_code == 200, "each token has its own"


def test_what_one_may_do_is_told_with_what_stands_against_it(walked):
    acts = {one["act"]: one for one in caller(walked, "owner").get("/api/trials/c1/acts").json()}
    assert acts["appeal.file"]["brings"] == "appeal" and "order.give" not in acts
