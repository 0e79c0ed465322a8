"""Coming in, staying in, being let out: invitations, log-in, tokens, members."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from tests.hub.worlds_for_tests import PASSWORD

NEW = {"name": "New Person", "password": "a long and quiet sentence"}


@pytest.fixture
def links(one_world):
    mail.outbox = []
    return lambda: [re.search(r"https?://\S+", message.body)[0] for message in mail.outbox]


def invite(world, email, organisation="plant", roles=("demand_owner",), who="desk"):
    return world.client(who).post(f"/organisations/{organisation}/invite/", {"email": email, "roles": list(roles)})


def path_of(link):
    return re.sub(r"^https?://[^/]+", "", link)


def test_an_invited_address_joins_once(one_world, links):
    assert invite(one_world, "new@example.org").status_code == 302
    (link,) = links()
    browser = one_world.client()
    page = browser.get(path_of(link))
    assert "new@example.org" in page.content.decode() and "Plant" in page.content.decode()
    assert browser.post(path_of(link), {**NEW, "password": "short"}).status_code == 200
    assert browser.post(path_of(link), NEW)["Location"] == "/work/"
    assert browser.get("/work/").status_code == 200
    assert browser.get("/organisations/plant/").status_code == 200
    for again in (one_world.client(), browser):
        assert again.get(path_of(link)).status_code == 404


def test_the_mail_of_an_invitation_names_the_organisation_by_its_title(one_world, links):
    from pilotbase.hub.models import Invitation
    from pilotbase.hub.people.invitations import mail_of

    invite(one_world, "zh@example.org")
    invitation = Invitation.objects.get(email="zh@example.org")
    for language, subject in (("en", "Invitation to Plant"), ("zh", "邀请加入 Plant")):
        mailed = mail_of(invitation, "http://x/", language)
        assert mailed.subject == subject and "Plant" in mailed.body and "plant" not in mailed.body


def test_the_first_mail_into_an_organisation_just_registered_names_its_title(one_world, links):
    assert "Plant" in one_world.client("desk").get("/organisations/").content.decode()
    invite(one_world, "first@example.org")  # the titles of all are read, and remembered for a minute
    new = {"name": "harbour", "title_en": "Harbour Airport", "roles": ["demand_owner"]}
    assert one_world.client("desk").post("/organisations/new/", new).status_code == 302
    invite(one_world, "li@example.org", "harbour")
    assert mail.outbox[-1].subject == "Invitation to Harbour Airport"


@pytest.mark.parametrize(
    ("titled", "name"),
    [
        ({"title_zh": "青山医院"}, "qing-shan-yi-yuan"),
        ({"title_en": "Acme GmbH & Co.", "title_zh": "艾克米"}, "acme-gmbh-co"),
        ({"title_zh": "青山二院", "name": "hospital-2"}, "hospital-2"),
        ({"title_en": "…"}, None),
    ],
)
def test_an_organisation_gets_its_short_name_from_its_title(one_world, titled, name):
    answer = one_world.client("desk").post("/organisations/new/", {**titled, "roles": ["demand_owner"]})
    assert answer.get("Location") == (f"/organisations/{name}/" if name else None)
    assert name or "such as pump-failure" in answer.content.decode()


def test_a_link_expires_and_can_be_withdrawn(one_world, links):
    from django.utils import timezone

    from pilotbase.hub.models import Invitation

    invite(one_world, "late@example.org")
    invite(one_world, "gone@example.org")
    late, gone = links()
    Invitation.objects.filter(email="late@example.org").update(expires_at=timezone.now() - timedelta(seconds=1))
    number = Invitation.objects.get(email="gone@example.org").pk
    assert one_world.client("supplier").post(f"/invitations/{number}/withdraw/").status_code == 404
    assert one_world.client("desk").post(f"/invitations/{number}/withdraw/").status_code == 302
    for link in (late, gone):
        assert one_world.client().get(path_of(link)).status_code == 404
        assert one_world.client().post(path_of(link), NEW).status_code == 404


def test_an_invitation_serves_its_own_address_only(one_world, links):
    invite(one_world, "supplier@example.org", roles=("demand_owner",))
    (link,) = links()
    assert one_world.client().get(path_of(link)).status_code == 302, "who has an account logs in first"
    assert one_world.client("owner").post(path_of(link)).status_code == 422
    browser = one_world.client("supplier")
    assert browser.post(path_of(link)).status_code == 302
    assert browser.get("/api/me").json()["acting_for"] == "plant"
    assert browser.post("/act-for/", {"organisation": "acme"}).status_code == 302
    assert browser.get("/api/me").json()["acting_for"] == "acme"
    assert browser.post("/act-for/", {"organisation": "ministry"}).status_code == 404


def ask_in(world, who, role):
    body = {"email": "x@example.org", "roles": [role]}
    return world.client(who).post("/api/organisations/plant/invitations", body, content_type="application/json")


def test_an_organisation_has_so_many_invitations_open_at_most_and_can_still_withdraw(one_world, links, monkeypatch):
    from pilotbase.hub.models import Invitation
    from pilotbase.hub.people import invitations

    monkeypatch.setattr(invitations, "MOST_OPEN", invitations._counted_invitations("plant") + 1)
    assert ask_in(one_world, "owner", "demand_owner").status_code == 201
    refused = ask_in(one_world, "owner", "demand_owner")
    assert (refused.status_code, refused.json()["code"]) == (409, "hub.too_many_invitations")
    number = Invitation.objects.filter(email="x@example.org", withdrawn_at=None).latest("pk").pk
    assert one_world.client("owner").post(f"/invitations/{number}/withdraw/").status_code == 302
    assert ask_in(one_world, "owner", "demand_owner").status_code == 409, "withdrawing does not unsend the mail"
    Invitation.objects.filter(pk=number).update(withdrawn_at=timezone.now() - timedelta(days=1))
    assert ask_in(one_world, "owner", "demand_owner").status_code == 201
    assert ask_in(one_world, "desk", "demand_owner").status_code == 201, "the operator goes on"


def test_managers_invite_into_their_own_organisation(one_world, links):
    from pilotbase.hub.models import Invitation, Membership

    for who in ("supplier", "regulator", "reviewer", "stranger"):
        assert invite(one_world, "x@example.org", who=who).status_code == 404
        assert one_world.client(who).get("/api/organisations/plant/invitations").status_code == 404
        assert ask_in(one_world, who, "demand_owner").status_code == (403 if who == "stranger" else 404)
    assert links() == []
    assert ask_in(one_world, "owner", "operator").status_code == 422, "no more than the organisation is"
    assert invite(one_world, "mate@example.org", who="owner").status_code == 302
    own = one_world.client("owner").get("/organisations/plant/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    number = Membership.objects.get(person=one_world.people["owner"], organisation="plant").pk
    assert "mate@example.org" in own and f"/memberships/{number}/" not in own, "nobody removes themselves by a slip"
    number = Invitation.objects.get(email="mate@example.org").pk
    assert one_world.client("supplier").post(f"/invitations/{number}/withdraw/").status_code == 404
    assert one_world.client("owner").post(f"/invitations/{number}/withdraw/").status_code == 302
    number = Membership.objects.get(person=one_world.people["other-owner"]).pk
    assert one_world.client("owner").post(f"/memberships/{number}/remove/").status_code == 404
    assert one_world.client("desk").post(f"/memberships/{number}/remove/").status_code == 302
    assert one_world.client("other-owner").get("/work/").status_code == 404


@pytest.mark.parametrize("email", ["wei@plant\x87.example", "w\u00e9i@plant.example", "wei@plant..example", "wei@-.x"])
def test_what_no_mail_reaches_is_not_invited(one_world, links, email):
    body = {"email": email, "roles": ["operator"]}
    sent = one_world.client("desk").post("/api/organisations/plant/invitations", body, content_type="application/json")
    assert sent.status_code == 422 and sent.json()["code"] == "hub.no_address" and links() == []


def test_who_joined_stands_in_the_log_without_the_name(one_world, links):
    from pilotbase.hub.base import operator_view

    invite(one_world, "logged@example.org")
    one_world.client().post(path_of(links()[0]), NEW)
    entries = [entry for entry in operator_view().log_entries(limit=10_000) if entry.action == "membership.granted"]
    assert entries and "logged@example.org" not in repr(entries[-1])
    assert b"logged@example.org" in operator_view().log_payload(entries[-1].number)


def log_in(client, email, password):
    return client.post("/account/login/", {"login": email, "password": password})


def test_log_in_and_out(one_world):
    browser = one_world.client()
    assert log_in(browser, "owner@example.org", "wrong").status_code == 200
    assert browser.get("/work/").status_code == 302
    assert log_in(browser, "Owner@Example.org", PASSWORD)["Location"] == "/work/"
    assert browser.get("/work/").status_code == 200
    browser.post("/account/logout/")
    assert browser.get("/work/").status_code == 302


def test_guessing_is_throttled(one_world):
    from django.core.cache import cache

    cache.clear()
    browser = one_world.client(REMOTE_ADDR="192.0.2.7")
    for _ in range(5):
        assert "form" in log_in(browser, "signer@example.org", "guess").content.decode()
    found = log_in(browser, "signer@example.org", PASSWORD)
    assert found.status_code in (200, 429), "the right password does not help a guesser who has been too quick"
    cache.clear()


def test_a_forgotten_password_is_set_by_mail_once(one_world, links):
    browser = one_world.client()
    assert browser.post("/account/password/reset/", {"email": "planner@example.org"}).status_code == 302
    (link,) = links()
    assert link.startswith("http://127.0.0.1:8000/"), "links begin with the hub's own address, not the request's"
    form = browser.get(path_of(link), follow=True)
    new = {"password1": "a wholly new sentence", "password2": "a wholly new sentence"}
    assert browser.post(form.redirect_chain[-1][0], new).status_code == 302
    assert log_in(one_world.client(), "planner@example.org", "a wholly new sentence").status_code == 302
    again = one_world.client().get(path_of(link), follow=True)
    assert "password1" not in again.content.decode()


def test_whether_an_address_has_an_account_is_not_told(one_world, links):
    known = one_world.client().post("/account/password/reset/", {"email": "owner@example.org"}, follow=True)
    unknown = one_world.client().post("/account/password/reset/", {"email": "nobody@example.org"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    without_tokens = [re.sub(r'value="[^"]{30,}"', "", page.content.decode()) for page in (known, unknown)]
    assert without_tokens[0] == without_tokens[1]


def test_sessions_are_listed_and_ended(one_world):
    here, there = one_world.client(), one_world.client(HTTP_USER_AGENT="<b>Other</b>")
    log_in(here, "regulator@example.org", PASSWORD)
    log_in(there, "regulator@example.org", PASSWORD)
    page = here.get("/account/sessions/").content.decode()
    assert "&lt;b&gt;Other&lt;/b&gt;" in page and "<b>Other</b>" not in page
    here.post("/account/sessions/")
    assert there.get("/work/").status_code == 302
    assert here.get("/work/").status_code == 200


def make_token(browser, scope):
    page = browser.post("/account/tokens/", {"label": "robot", "scope": scope, "days": 3}).content.decode()
    return re.search(r"pilot_[\w-]{43}", page)[0]


def bearer(secret):
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def test_tokens_act_within_their_scope_until_revoked(one_world):
    from pilotbase.hub.models import ApiToken

    browser, program = one_world.client("owner"), one_world.client(enforce_csrf_checks=True)
    reads, writes = make_token(browser, "read"), make_token(browser, "write")
    assert reads not in browser.get("/account/tokens/").content.decode(), "shown once"
    assert not ApiToken.objects.filter(secret_hash=reads).exists(), "kept as a hash"
    assert program.get("/api/me", **bearer(reads)).json()["acting_for"] == "plant"
    act = "/api/organisations/plant/acts/organisation.declare"
    body = {"name": "plant", "title": "Plant", "roles": ["demand_owner"], "contact": "desk@plant.example"}
    refused = program.post(act, body, content_type="application/json", **bearer(reads))
    assert (refused.status_code, refused.json()["code"]) == (403, "hub.token_read_only")
    assert program.post(act, body, content_type="application/json", **bearer(writes)).status_code == 200
    number = ApiToken.objects.filter(scope="write").latest("created_at").pk
    assert one_world.client("supplier").post(f"/account/tokens/{number}/revoke/").status_code == 302
    assert program.get("/api/me", **bearer(writes)).status_code == 200, "nobody revokes the tokens of others"
    browser.post(f"/account/tokens/{number}/revoke/")
    gone = program.get("/api/me", **bearer(writes))
    assert (gone.status_code, gone.json()["code"]) == (401, "hub.token_invalid")
    assert gone["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends_with_its_day_and_with_the_membership(one_world):
    from django.utils import timezone

    from pilotbase.hub.models import ApiToken, Membership

    secret = make_token(one_world.client("other-reviewer"), "write")
    program = one_world.client()
    assert program.get("/api/me", **bearer(secret)).status_code == 200
    ApiToken.objects.filter(person=one_world.people["other-reviewer"]).update(expires_at=timezone.now())
    assert program.get("/api/scenarios", **bearer(secret)).status_code == 401, "a dead token is no visitor"
    secret = make_token(one_world.client("other-reviewer"), "write")
    number = Membership.objects.get(person=one_world.people["other-reviewer"]).pk
    one_world.client("desk").post(f"/memberships/{number}/remove/")
    assert program.get("/api/me", **bearer(secret)).status_code == 401


def test_metrics_are_for_operators_and_their_tokens(one_world):
    secret = make_token(one_world.client("desk"), "read")
    found = one_world.client().get("/metrics", **bearer(secret))
    assert found.status_code == 200 and b"pilotbase_requests_total{" in found.content
    told = found.content.decode()
    for line in (
        'jobs{state="queued"} 0',
        "oldest_job_seconds 0",
        "silent_job_seconds 0",
        "people ",
        "disk_free_bytes ",
    ):
        assert f"\npilotbase_{line}" in told
    assert told.count("# TYPE pilotbase_jobs gauge") == 1
    assert 'pilotbase_request_seconds_bucket{route="account/tokens/",le="+Inf"}' in told
    assert (
        one_world.client().get("/metrics", **bearer(make_token(one_world.client("owner"), "read"))).status_code == 404
    )
