"""Who manages an organisation: who is in it and as what, on pages and by the API; it always keeps a manager."""

import pytest

JSON = {"content_type": "application/json"}
MATE = "/api/people/p-mate/memberships/acme"
CHIEF = "/api/people/p-supplier/memberships/acme"


@pytest.fixture
def acme(one_world):
    """An organisation with a manager, p-supplier, and a mate who is none."""
    from pilotbase.hub.models import Membership, Person
    from tests.hub import worlds_for_tests

    kept = list(Membership.objects.all())
    one_world.people["mate"] = worlds_for_tests._person("mate", "acme", "supplier")
    yield one_world
    Person.objects.filter(identity="p-mate").delete()
    Person.objects.update(is_active=True)
    del one_world.people["mate"]
    one_world.sessions.pop("mate", None)
    Membership.objects.all().delete()
    Membership.objects.bulk_create(kept)


def put(world, who, where, **said):
    return world.client(who).put(where, said, **JSON)


def managers(organisation="acme"):
    from pilotbase.hub.models import Membership

    return set(
        Membership.objects.filter(organisation=organisation, manages=True).values_list("person__identity", flat=True)
    )


def test_members_who_do_not_manage_admit_and_remove_nobody(acme):
    from pilotbase.hub.models import Membership

    mate, chief = acme.client("mate"), Membership.objects.get(person__identity="p-supplier").pk
    body = {"email": "x@example.org", "roles": ["supplier"]}
    assert mate.post("/api/organisations/acme/invitations", body, **JSON).status_code == 404
    assert mate.get("/api/organisations/acme/invitations").status_code == 404
    assert mate.get("/organisations/acme/invite/").status_code == 404
    assert put(acme, "mate", MATE, roles=["supplier"], manages=True).status_code == 404
    assert put(acme, "mate", CHIEF, roles=[]).status_code == 404
    assert mate.post(f"/memberships/{chief}/remove/").status_code == 404
    assert mate.post("/people/p-mate/roles/", {"organisation": "acme", "manages": "on"}).status_code == 404
    page = mate.get("/organisations/acme/").content.decode()
    assert "/invite/" not in page and "/remove/" not in page
    assert managers() == {"p-supplier"}


def test_a_manager_sets_roles_and_ends_memberships_of_their_own_organisation(acme):
    from pilotbase.hub.models import Membership

    shown = acme.client("supplier").get("/people/p-mate/").content.decode()
    assert "/people/p-mate/roles/" in shown and "Block this person" not in shown
    assert put(acme, "other-supplier", MATE, roles=[]).status_code == 404, "no manager of this one"
    assert put(acme, "supplier", MATE, roles=["operator"]).status_code == 422
    ended = put(acme, "supplier", MATE, roles=[])
    assert ended.status_code == 200 and ended.json()["memberships"] == []
    assert not Membership.objects.filter(person__identity="p-mate").exists()


def test_a_manager_makes_another_one_on_the_page(acme):
    filled = {"organisation": "acme", "roles": ["supplier"], "manages": "on"}
    told = acme.client("supplier").post("/people/p-mate/roles/", filled, follow=True).content.decode()
    assert "The roles are changed." in told and managers() == {"p-supplier", "p-mate"}
    page = acme.client("mate").get("/organisations/acme/").content.decode()
    assert "/memberships/" in page and "/organisations/acme/invite/" in page
    assert acme.client("mate").get("/api/me").json()["memberships"][0]["manages"] is True
    assert put(acme, "mate", CHIEF, roles=["supplier"], manages=False).status_code == 200
    assert managers() == {"p-mate"}


@pytest.mark.parametrize("who", ["supplier", "desk"])
@pytest.mark.parametrize("said", [{"roles": []}, {"roles": ["supplier"], "manages": False}])
def test_the_last_manager_neither_leaves_nor_steps_down(acme, who, said):
    refused = put(acme, who, CHIEF, **said)
    assert (refused.status_code, refused.json()["code"]) == (409, "hub.last_manager")
    filled = {"organisation": "acme", **({"roles": said["roles"]} if said["roles"] else {})}
    told = acme.client(who).post("/people/p-supplier/roles/", filled, follow=True).content.decode()
    assert "This is the last manager of acme." in told and managers() == {"p-supplier"}


def test_a_manager_who_is_blocked_is_replaced_by_the_operator(acme):
    acme.client("desk").put("/api/people/p-supplier/block")
    assert put(acme, "desk", MATE, roles=["supplier"], manages=True).status_code == 200
    blocked = put(acme, "desk", CHIEF, roles=["supplier"], manages=False)
    assert blocked.status_code == 200 and managers() == {"p-mate"}


def test_the_only_member_may_leave(acme):
    assert put(acme, "desk", MATE, roles=[]).status_code == 200
    left = acme.client("supplier").post("/people/p-supplier/roles/", {"organisation": "acme"}, follow=True)
    assert left.redirect_chain[-1][0] == "/account/" and managers() == set()


def test_who_joins_first_manages(acme):
    from pilotbase.documents.vocabularies import Role
    from pilotbase.hub.base import operator_view
    from pilotbase.hub.models import Membership
    from pilotbase.hub.people.invitations import invite, join

    Membership.objects.filter(organisation="acme").delete()
    for who in ("supplier", "mate"):
        person = acme.people[who]
        join(operator_view(), invite(operator_view(), None, person.email, "acme", [Role.SUPPLIER]).invitation, person)
    assert managers() == {"p-supplier"}


def test_an_organisation_of_the_demonstration_gets_its_first_member_as_manager(acme):
    from pilotbase.hub.base import operator_view
    from pilotbase.hub.models import Membership
    from pilotbase.hub.people.invitations import appoint_managers

    Membership.objects.filter(organisation__in=("acme", "plant")).update(manages=False)
    appoint_managers(operator_view())
    assert managers() == {"p-supplier"} and managers("plant") == {"p-owner"} and managers("base") == {"p-desk"}
    changed = [one for one in operator_view().log_entries(limit=10_000) if one.action == "membership.changed"]
    assert changed[-1].facts["manages"] is True


def test_a_manager_of_the_regulator_only_proposes_a_right_over_the_base(acme):
    asked = put(acme, "regulator", "/api/people/p-regulator/memberships/ministry", roles=["regulator"])
    assert asked.status_code == 200
    body = {"email": "new@ministry.example", "roles": ["regulator"]}
    sent = acme.client("regulator").post("/api/organisations/ministry/invitations", body, **JSON)
    assert sent.json()["waits_for_consent"]


def test_an_older_invitation_brings_nobody_back_whose_membership_was_changed(acme):
    from pilotbase.documents.vocabularies import Role
    from pilotbase.hub.base import operator_view
    from pilotbase.hub.models import Membership
    from pilotbase.hub.people.invitations import invite, join
    from pilotbase.workspace.failures import NotFoundError

    Membership.objects.filter(person__identity="p-mate").delete()
    mate = acme.people["mate"]
    first, second = (invite(operator_view(), None, mate.email, "acme", [Role.SUPPLIER]).invitation for _ in range(2))
    join(operator_view(), first, mate)
    assert put(acme, "supplier", MATE, roles=[]).status_code == 200
    with pytest.raises(NotFoundError):
        join(operator_view(), second, mate)
    assert not Membership.objects.filter(person__identity="p-mate").exists()


def test_of_two_managers_who_step_down_at_once_one_stays(acme, monkeypatch):
    from django.db import connection

    from pilotbase.hub.people import invitations

    assert put(acme, "supplier", MATE, roles=["supplier"], manages=True).status_code == 200
    look, alone = invitations._require_changeable, []

    def looked(*asked, **named):
        alone.append(connection.in_atomic_block)
        return look(*asked, **named)

    monkeypatch.setattr(invitations, "_require_changeable", looked)
    assert put(acme, "supplier", CHIEF, roles=["supplier"], manages=False).status_code == 200
    assert alone == [True], "looked at and changed by one request at a time"
