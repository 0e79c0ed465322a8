"""The people of a hub: who sees whom, and what operators do about them; each act stands in the log."""

import pytest

from tests.hub.live_for_tests import token_of
from tests.hub.worlds_for_tests import PASSWORD

JSON = {"content_type": "application/json"}


@pytest.fixture
def world(one_world):
    from pilotbase.hub.models import Membership, Person

    memberships = list(Membership.objects.all())
    yield one_world
    Person.objects.update(is_active=True)
    for one in memberships:
        one.save()  # also one that a test has ended


def people(world, who, **asked):
    found = world.client(who).get("/api/people", asked)
    assert found.status_code == 200, found.content
    return found.json()


def actions():
    from pilotbase.hub.base import operator_view

    return [entry for entry in operator_view().log_entries(limit=10_000) if "person" in entry.facts]


def test_operators_see_everybody_and_members_their_own(world):
    everybody = people(world, "desk")
    assert everybody["total"] == 11 and people(world, "regulator")["total"] == 11
    assert [one["name"] for one in everybody["items"]] == sorted(one["name"] for one in everybody["items"])
    own = people(world, "owner")
    assert [one["person"] for one in own["items"]] == ["p-owner"]
    assert people(world, "owner", organisation="acme")["total"] == 0, "asking for others shows nobody"
    assert world.client("owner").get("/api/people/p-supplier").status_code == 404
    assert world.client("owner").get("/api/people/p-owner").json()["sessions"] is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "SIGNER@"}, {"p-signer"}),
        ({"role": "reviewer"}, {"p-reviewer", "p-other-reviewer"}),
        ({"organisation": "plant"}, {"p-owner"}),
        ({"organisation": "plant", "role": "supplier"}, set()),
        ({"state": "blocked"}, set()),
    ],
    ids=str,
)
def test_the_directory_is_searched_and_filtered(world, asked, found):
    assert {one["person"] for one in people(world, "desk", **asked)["items"]} == found


def test_it_is_read_page_by_page(world):
    seen, after = [], ""
    while after is not None:
        page = people(world, "desk", limit=4, after=after)
        seen += [one["person"] for one in page["items"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) == 11
    assert world.client("desk").get("/api/people", {"after": "p-gone"}).status_code == 404


def test_an_open_invitation_stands_in_it(world):
    body = {"email": "guest@plant.example", "roles": ["demand_owner"]}
    assert world.client("desk").post("/api/organisations/plant/invitations", body, **JSON).status_code == 201
    (one,) = people(world, "owner", state="invited")["items"]
    assert (one["email"], one["person"], one["state"]) == ("guest@plant.example", "", "invited")
    assert people(world, "supplier", state="invited")["items"] == []
    page = world.client("desk").get("/people/?state=invited").content.decode()
    assert "guest@plant.example" in page


def test_who_is_blocked_does_nothing_until_they_are_let_in_again(world):
    browser = world.client()
    browser.post("/account/login/", {"login": "owner@example.org", "password": PASSWORD})
    program = {"HTTP_AUTHORIZATION": f"Bearer {token_of(world, 'owner')}"}
    assert world.client().get("/api/me", **program).status_code == 200
    assert world.client("desk").post("/people/p-owner/block/").status_code == 302
    assert browser.get("/work/").status_code == 302, "signed out"
    assert world.client().get("/api/me", **program).status_code == 401
    assert [one["person"] for one in people(world, "desk", state="blocked")["items"]] == ["p-owner"]
    assert "Unblock" in world.client("desk").get("/people/p-owner/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert world.client("desk").delete("/api/people/p-owner/block").json()["state"] == "active"
    assert world.client().get("/api/me", **program).status_code == 200
    done = [entry.action for entry in actions() if entry.facts["person"] == "p-owner"]
    assert done[-2:] == ["person.blocked", "person.unblocked"]
    refused = world.client("desk").put("/api/people/p-desk/block")
    assert (refused.status_code, refused.json()["code"]) == (409, "hub.not_oneself")


def test_sessions_end_and_tokens_are_revoked_by_name(world):
    browser = world.client()
    browser.post("/account/login/", {"login": "supplier@example.org", "password": PASSWORD})
    secret = token_of(world, "supplier")
    page = world.client("desk").get("/people/p-supplier/").content.decode()
    detail = world.client("desk").get("/api/people/p-supplier").json()
    (token,) = detail["tokens"]
    assert token["label"] in page and secret not in page and detail["sessions"] == 1
    assert world.client("desk").delete("/api/people/p-supplier/sessions").status_code == 204
    assert browser.get("/work/").status_code == 302
    assert world.client("desk").post("/people/p-supplier/revoke/", {"token": token["token"]}).status_code == 302
    assert world.client().get("/api/me", HTTP_AUTHORIZATION=f"Bearer {secret}").status_code == 401
    assert world.client("desk").delete(f"/api/people/p-owner/tokens/{token['token']}").status_code == 404


def test_roles_stay_within_those_of_the_organisation(world):
    path = "/api/people/p-reviewer/memberships/institute"
    refused = world.client("desk").put(path, {"roles": ["operator"]}, **JSON)
    assert (refused.status_code, refused.json()["code"]) == (422, "hub.role_not_of_organisation")
    assert world.client("desk").put("/api/people/p-owner/memberships/acme", {"roles": []}, **JSON).status_code == 404
    ended = world.client("desk").put(path, {"roles": []}, **JSON)
    assert ended.status_code == 200 and ended.json()["memberships"] == []
    assert [one.action for one in actions() if one.facts["person"] == "p-reviewer"][-1] == "membership.ended"


@pytest.mark.parametrize("who", ["owner", "regulator", "reviewer"])
def test_only_operators_manage_people(world, who):
    client = world.client(who)
    assert client.put("/api/people/p-supplier/block").status_code == 403
    assert client.delete("/api/people/p-supplier/sessions").status_code == 403
    assert client.put("/api/people/p-supplier/memberships/acme", {"roles": []}, **JSON).status_code == 404
    for place in ("block", "unblock", "sign_out", "roles", "revoke"):
        assert client.post(f"/people/p-supplier/{place}/").status_code == 404


def test_when_somebody_was_last_seen_is_known_to_the_hour(world):
    from pilotbase.hub.models import Person

    Person.objects.filter(identity="p-planner").update(seen_at=None)
    assert world.client("desk").get("/api/people/p-planner").json()["seen_at"] is None
    world.client("planner").get("/work/")
    assert world.client("desk").get("/api/people/p-planner").json()["seen_at"] is not None
