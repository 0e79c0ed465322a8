"""A member acts in the roles of their organisation: invited, joined, at every act, and after a change."""

import json

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.vocabularies import Role
from tests.catalogue.records_for_tests import DESK
from tests.hub.live_for_tests import token_of

JSON = {"content_type": "application/json"}


@pytest.fixture
def members():
    from pilotbase.hub.models import Membership

    return Membership.objects


def test_nobody_is_invited_in_a_role_that_the_organisation_does_not_have(one_world):
    desk = one_world.client("desk")
    page = desk.get("/organisations/acme/invite/").content.decode()
    assert 'value="supplier"' in page
    assert 'value="operator"' not in page
    told = desk.post("/organisations/acme/invite/", {"email": "x@example.org", "roles": ["operator"]})
    assert told.status_code == 200, "the form is shown again"
    wanted = json.dumps({"email": "x@example.org", "roles": ["supplier", "operator"]})
    refused = desk.post("/api/organisations/acme/invitations", wanted, **JSON)
    assert (refused.status_code, refused.json()["code"]) == (422, "hub.role_not_of_organisation")


def test_an_invitation_in_a_role_that_is_gone_is_not_accepted(one_world, members):
    from pilotbase.documents.errors import InputError
    from pilotbase.hub.base import operator_view
    from pilotbase.hub.models import Invitation
    from pilotbase.hub.people.invitations import invite, join

    sent = invite(operator_view(), None, "stranger@example.org", "globex", [Role.SUPPLIER])
    Invitation.objects.filter(pk=sent.invitation.pk).update(roles=["operator"])
    sent.invitation.refresh_from_db()
    with pytest.raises(InputError) as refused:
        join(operator_view(), sent.invitation, one_world.people["stranger"])
    assert refused.value.code == "hub.role_not_of_organisation"
    assert not members.filter(person=one_world.people["stranger"]).exists()


def test_a_membership_beyond_is_cut_at_every_act_and_at_the_start_of_the_hub(one_world, members):
    from pilotbase.hub.base import operator_view
    from pilotbase.hub.people.invitations import cut_memberships

    mine = members.filter(person=one_world.people["supplier"])
    mine.update(roles=["supplier", "operator"])
    browser = one_world.client("supplier")
    assert browser.get("/organisations/new/").status_code in (403, 404)
    program = one_world.client(None)
    program.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token_of(one_world, 'supplier')}"
    assert program.get("/api/me").json()["memberships"][0]["roles"] == ["supplier"]
    made = program.put(
        "/api/organisations/new", json.dumps({"name": "new", "title": "New", "roles": ["operator"]}), **JSON
    )
    assert made.status_code in (403, 404)
    assert cut_memberships(operator_view()) == 1
    assert mine.get().roles == ["supplier"]
    assert cut_memberships(operator_view()) == 0


def test_a_role_that_an_organisation_gives_up_is_taken_from_its_members(one_world, members):
    both = Organisation(name="academy", title="Academy", roles=("reviewer", "supplier"))
    one_world.trial.do(DESK, "organisation:academy", Act.ORGANISATION_EDIT, both)
    members.filter(organisation="academy").update(roles=["reviewer", "supplier"])
    reviewer = one_world.client("other-reviewer")
    assert set(reviewer.get("/api/me").json()["memberships"][0]["roles"]) == {"reviewer", "supplier"}
    less = json.dumps({"name": "academy", "title": "Academy", "roles": ["supplier"]})
    assert one_world.client("desk").put("/api/organisations/academy", less, **JSON).status_code == 200
    assert reviewer.get("/api/me").json()["memberships"][0]["roles"] == ["supplier"]
    assert members.get(organisation="academy").roles == ["supplier"]
