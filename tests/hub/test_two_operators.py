"""Rights over the whole base take effect when a second operator consents: on pages, by the API, in an import."""

import re

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile

JSON = {"content_type": "application/json"}
INVITE = "/api/organisations/base/invitations"
PLANNER = "/api/people/p-planner/memberships/base"


@pytest.fixture
def world(one_world):
    from pilotbase.hub.models import Invitation, Membership, Person, RoleChange

    mail.outbox = []
    kept = list(Membership.objects.all())
    yield one_world
    RoleChange.objects.all().delete()
    Invitation.objects.all().delete()
    Person.objects.update(is_active=True)
    Membership.objects.all().delete()
    Membership.objects.bulk_create(kept)


def invited(world, who="desk", role="operator", organisation="base"):
    body = {"email": "new@base.example", "roles": [role]}
    return world.client(who).post(f"/api/organisations/{organisation}/invitations", body, **JSON)


def waiting(world, who="planner"):
    return world.client(who).get("/api/role-changes").json()


def logged(action):
    from pilotbase.hub.base import operator_view

    return [entry.facts for entry in operator_view().log_entries(limit=10_000) if entry.action == action]


def test_an_operator_is_invited_by_two(world):
    answer = invited(world)
    assert answer.status_code == 201 and answer.json()["waits_for_consent"] and answer.json()["link"] is None
    assert mail.outbox == [] and waiting(world)[0]["email"] == "new@base.example"
    number = waiting(world)[0]["number"]
    own = world.client("desk").post(f"/api/role-changes/{number}/consent")
    assert (own.status_code, own.json()["code"]) == (409, "hub.own_proposal")
    assert world.client("planner").post(f"/api/role-changes/{number}/consent").status_code == 204
    assert "/invitations/" in mail.outbox[0].body and mail.outbox[0].to == ["new@base.example"]
    assert world.client("signer").post(f"/api/role-changes/{number}/consent").status_code == 404, "it is decided"
    assert logged("rights.proposed")[-1]["proposal"] == logged("rights.consented")[-1]["proposal"] == number
    assert logged("rights.consented")[-1]["person"] == "p-planner"


def test_it_stands_in_the_inbox_of_the_others(world):
    page = world.client("desk").post(
        "/organisations/base/invite/", {"email": "new@base.example", "roles": ["operator"]}, follow=True
    )
    assert "when another operator consents" in page.content.decode()
    inbox = {who: world.client(who).get("/work/").content.decode() for who in ("desk", "planner", "regulator")}
    assert [who for who in inbox if "new@base.example" in inbox[who]] == ["planner"]
    listed = world.client("planner").get("/role-changes/").content.decode()
    (address,) = re.findall(r'action="(/role-changes/\d+/)"', listed)
    assert world.client("owner").post(address, {"consent": "1"}).status_code == 404
    world.client("planner").post(address, {"consent": "1"})
    assert len(mail.outbox) == 1


def test_what_is_refused_or_expired_changes_nothing(world):
    from django.utils import timezone

    from pilotbase.hub.models import RoleChange

    invited(world)
    number = waiting(world)[0]["number"]
    assert world.client("planner").delete(f"/api/role-changes/{number}").status_code == 204
    assert waiting(world) == []
    invited(world)
    number = waiting(world)[0]["number"]
    RoleChange.objects.filter(pk=number).update(expires_at=timezone.now())
    assert world.client("planner").post(f"/api/role-changes/{number}/consent").status_code == 404
    assert mail.outbox == []


def test_the_right_of_another_operator_is_not_taken_by_one(world):
    answer = world.client("desk").put(PLANNER, {"roles": []}, **JSON).json()
    assert answer["memberships"] and answer["proposals"][0]["roles"] == []
    assert world.client("planner").get("/people/").status_code == 200, "still an operator"
    from pilotbase.hub.models import Membership

    number = Membership.objects.get(person__identity="p-signer").pk
    world.client("desk").post(f"/memberships/{number}/remove/")
    assert Membership.objects.filter(pk=number).exists(), "the page of the organisation is no way round"
    assert world.client("signer").post(f"/api/role-changes/{waiting(world)[0]['number']}/consent").status_code == 204
    assert not Membership.objects.filter(person__identity="p-planner").exists()


def test_who_lays_down_their_own_right_needs_nobody(world):
    assert world.client("planner").put(PLANNER, {"roles": []}, **JSON).status_code == 200
    from pilotbase.hub.models import Membership

    assert not Membership.objects.filter(person__identity="p-planner").exists()


def test_a_role_of_one_organisation_needs_no_second_operator(world):
    assert invited(world, role="demand_owner", organisation="plant").json()["link"]


def test_a_regulator_is_invited_by_an_operator_too(world):
    assert invited(world, "regulator", "regulator", "ministry").json()["waits_for_consent"]
    assert waiting(world)[0]["proposed_by"] == "Regulator"


def test_the_only_operator_acts_alone_and_the_log_says_so(world):
    from pilotbase.hub.models import Membership

    Membership.objects.filter(person__identity__in=("p-planner", "p-signer")).delete()
    assert invited(world).json()["link"]
    assert logged("rights.taken_alone")[-1]["roles"] == "operator"
    last = world.client("desk").put("/api/people/p-desk/memberships/base", {"roles": []}, **JSON)
    assert (last.status_code, last.json()["code"]) == (409, "hub.last_operator")


def test_nobody_becomes_the_only_operator_by_blocking_the_others(world):
    for other in ("p-planner", "p-signer"):
        assert world.client("desk").put(f"/api/people/{other}/block").status_code == 200
    assert invited(world).json()["waits_for_consent"]


def test_the_machine_itself_invites_an_operator_when_nobody_can_consent(world):
    from pilotbase.hub.people.invitations import invite_operator

    assert "/invitations/" in invite_operator("rescue@base.example")


def test_an_import_of_people_only_proposes_such_rights(world):
    from pilotbase.catalogue.importing import Guest
    from pilotbase.documents.vocabularies import Role
    from pilotbase.hub.base import base
    from pilotbase.hub.people.invitations import invite_all
    from pilotbase.workspace.actors import actor

    view = base().lab.store.as_actor(actor("base", "operator", person="p-desk"))
    guests = [
        Guest("a@base.example", "base", (Role.OPERATOR,), "en"),
        Guest("b@plant.example", "plant", (Role.DEMAND_OWNER,), "en"),
    ]
    assert invite_all(view, world.people["desk"], guests) == 2
    assert [one.to for one in mail.outbox] == [["b@plant.example"]]
    assert [one["email"] for one in waiting(world)] == ["a@base.example"]


MINISTRY = {"name": "ministry", "title": "Ministry", "roles": ["reviewer"]}


def ministry_said(world, way):
    """Return what answers an operator who takes the role of its members from an organisation."""
    desk = world.client("desk")
    if way == "content":
        return desk.put("/api/organisations/ministry", MINISTRY, **JSON).content.decode()
    if way == "act":
        return desk.post("/api/organisations/ministry/acts/organisation.edit", MINISTRY, **JSON).content.decode()
    if way == "page":
        filled = {"title_en": "Ministry", "roles": ["reviewer"]}
        return desk.post("/organisations/ministry/acts/organisation.edit/", filled, follow=True).content.decode()
    sheet = SimpleUploadedFile("they.csv", b"name,title_en,roles\nministry,Ministry,reviewer\n")
    shown = desk.post("/import/organisations/", {"file": sheet}, follow=True)
    mark = re.findall(r'name="mark" value="([^"]+)"', shown.content.decode())
    confirm = f"{shown.redirect_chain[-1][0]}confirm/"
    return desk.post(confirm, {"mark": mark}, follow=True).content.decode()


@pytest.mark.parametrize("way", ["content", "act", "page", "import"])
def test_the_record_of_an_organisation_is_no_way_round(world, way):
    assert "which takes two operators to take away" in ministry_said(world, way).replace("&#x27;", "'")
    assert world.client("regulator").get("/audit/").status_code == 200, "still a regulator"


def test_the_role_of_an_organisation_goes_once_two_have_taken_it_from_its_people(world):
    desk, held = world.client("desk"), "/api/people/p-regulator/memberships/ministry"
    assert desk.put(held, {"roles": []}, **JSON).status_code == 200
    number = waiting(world)[0]["number"]
    assert world.client("planner").post(f"/api/role-changes/{number}/consent").status_code == 204
    before = desk.get("/api/organisations/ministry").json()
    assert desk.put("/api/organisations/ministry", MINISTRY, **JSON).status_code == 200
    assert desk.put("/api/organisations/ministry", before, **JSON).status_code == 200
    assert world.client("regulator").get("/audit/").status_code == 404, "the record alone gives nobody a right"


def test_who_may_not_edit_an_organisation_does_not_learn_who_is_in_it(world):
    refused = world.client("owner").put("/api/organisations/ministry", MINISTRY, **JSON)
    assert (refused.status_code, refused.json()["code"]) != (409, "hub.role_held")


def test_what_takes_effect_at_once_is_told_so_beside_an_open_proposal(world):
    from pilotbase.hub.models import Membership

    planner = world.people["planner"]
    Membership.objects.create(person=planner, organisation="plant", roles=["demand_owner"])
    told = [
        world.client("desk").post("/people/p-planner/roles/", {"organisation": organisation}, follow=True)
        for organisation in ("base", "plant")
    ]
    assert "when another operator consents" in told[0].content.decode()
    assert "The roles are changed." in told[1].content.decode()
    assert not Membership.objects.filter(person=planner, organisation="plant").exists()
