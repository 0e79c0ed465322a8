"""The API: who may call what, documents under their ETags, posts sent twice, problems in the caller's language."""

import json

import pytest


@pytest.fixture(scope="module")
def walked(any_world):
    any_world.trial.reach("certified")
    return any_world


def token(world, who, scope="write"):
    from datetime import timedelta

    from django.utils import timezone

    from pilotbase.hub.models import ApiToken, Membership
    from pilotbase.hub.people import secrets

    person = world.people[who]
    membership = Membership.objects.get(person=person)
    secret = secrets.new_secret("pilot")
    ApiToken.objects.create(
        person=person,
        organisation=membership.organisation,
        label="test",
        scope=scope,
        secret_hash=secrets.hash_of(secret),
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
    assert "application/problem+json" in post["responses"]["422"]["content"]
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
        content_type="application/json",
        HTTP_IF_MATCH='"sha256:%s"' % ("0" * 64),
    )
    assert stale.status_code == 412, stale.content
    saved = owner.put(
        "/api/scenarios/plant/milling", changed, content_type="application/json", HTTP_IF_MATCH=found["ETag"]
    )
    assert saved.status_code == 200, saved.content
    assert saved.json()["state"] == "draft"
