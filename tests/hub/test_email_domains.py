"""Who joins by an email domain: through the whole log-in at an OpenID Connect provider on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

JSON = {"content_type": "application/json"}
PLANT = "/api/organisations/plant/domains/plant.example"


class Provider(BaseHTTPRequestHandler):
    """Says of whoever comes what ``server.says`` holds."""

    def do_GET(self):
        place = self.server.place
        if self.path.endswith("openid-configuration"):
            ends = {f"{one}_endpoint": f"{place}/{one}" for one in ("authorization", "token", "userinfo")}
            return self.give({"issuer": place, "jwks_uri": f"{place}/keys", **ends})
        return self.give(self.server.says)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        said = {**self.server.says, "iss": self.server.place, "aud": "hub", "iat": 0, "exp": 2**33}
        self.give({"access_token": "x", "token_type": "Bearer", "id_token": jwt.encode(said, "k" * 32)})

    def give(self, found):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def provider(one_world, monkeypatch):
    """Return how somebody of whom a provider says something comes back to the hub."""
    from django.conf import settings

    from pilotbase.hub.models import Membership, Person, SignUpDomain

    server = HTTPServer(("127.0.0.1", 0), Provider)
    server.place = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    application = {
        "provider_id": "base",
        "name": "Plant",
        "client_id": "hub",
        "secret": "s",
        "settings": {"server_url": server.place},
    }
    known = {"openid_connect": {"APPS": [application], "OAUTH_PKCE_ENABLED": True}}
    monkeypatch.setattr(settings, "SOCIALACCOUNT_PROVIDERS", known)
    kept, people = list(Membership.objects.all()), set(Person.objects.values_list("pk", flat=True))

    def come(**says):
        server.says = {"sub": says["email"], **says}
        browser = one_world.client()
        sent = browser.post("/account/provider/oidc/base/login/?process=login")
        state = parse_qs(urlsplit(sent["Location"]).query)["state"][0]
        return browser, browser.get("/account/provider/oidc/base/login/callback/", {"code": "c", "state": state})

    yield come
    server.shutdown()
    thread.join()
    server.server_close()
    SignUpDomain.objects.all().delete()
    Person.objects.exclude(pk__in=people).delete()
    Membership.objects.all().delete()
    Membership.objects.bulk_create(kept)


def allow(world, where=PLANT, who="desk", roles=("demand_owner",)):
    return world.client(who).put(where, {"roles": list(roles)}, **JSON)


def test_whose_domain_is_allowed_joins_with_its_roles(one_world, provider):
    from pilotbase.hub.models import Membership

    Membership.objects.filter(organisation="plant").update(manages=False)  # and does not manage, even so
    assert allow(one_world).status_code == 204
    browser, came = provider(email="Li@Plant.example", email_verified=True, name="李 工")
    assert came["Location"] == "/work/"
    me = browser.get("/api/me").json()
    assert (me["name"], me["acting_for"]) == ("李 工", "plant")
    assert me["memberships"] == [{"organisation": "plant", "roles": ["demand_owner"], "manages": False}]
    _, again = provider(email="Li@Plant.example", email_verified=True, name="李 工")
    assert again["Location"] == "/work/", "the second time is a log-in"


@pytest.mark.parametrize(
    "says",
    [
        {"email": "li@plant.example", "email_verified": False},
        {"email": "li@plant.example", "email_verified": "false"},
        {"email": "li@plant.example"},
        {"email": "li@sub.plant.example", "email_verified": True},
        {"email": "li@other.example", "email_verified": True},
    ],
    ids=str,
)
def test_nobody_else_gets_an_account(one_world, provider, says):
    from pilotbase.hub.models import Person

    allow(one_world)
    browser, came = provider(**says)
    assert "Accounts are by invitation" in came.content.decode()
    assert not Person.objects.filter(email=says["email"]).exists()
    assert browser.get("/api/me").status_code == 401


def test_an_address_that_is_not_proven_does_not_enter_an_existing_account(one_world, provider):
    for not_proven in (False, "false"):
        browser, _ = provider(email="owner@example.org", email_verified=not_proven)
        assert browser.get("/api/me").status_code == 401
    browser, _ = provider(email="owner@example.org", email_verified=True)
    assert browser.get("/api/me").json()["acting_for"] == "plant"


def test_whose_address_a_manager_used_themselves_shares_no_password_with_them(one_world, provider):
    victim, password = "chief@elsewhere.example", "a long pass phrase of a squatter"
    body = {"email": victim, "roles": ["supplier"]}
    link = one_world.client("supplier").post("/api/organisations/acme/invitations", body, **JSON).json()["link"]
    squatter = one_world.client()
    squatter.post(urlsplit(link).path, {"name": "Chief", "password": password})
    assert squatter.get("/account/second-factor/app/start/").status_code in (200, 302)
    assert squatter.get("/api/me").json()["acting_for"] == "acme"
    chief, _ = provider(email=victim, email_verified=True)
    assert chief.get("/api/me").status_code == 200
    assert squatter.get("/api/me").status_code == 401
    again = one_world.client()
    again.post("/account/login/", {"login": victim, "password": password})
    assert again.get("/api/me").status_code == 401


def test_who_is_blocked_does_not_come_back_by_the_provider(one_world, provider):
    allow(one_world)
    member, _ = provider(email="li@plant.example", email_verified=True)
    identity = member.get("/api/me").json()["person"]
    one_world.client("desk").put(f"/api/people/{identity}/block")
    for email in ("li@plant.example", "LI@plant.example"):
        browser, _ = provider(email=email, email_verified=True)
        assert browser.get("/api/me").status_code == 401


def test_when_the_domain_is_taken_away_members_stay_and_nobody_more_joins(one_world, provider):
    allow(one_world)
    member, _ = provider(email="first@plant.example", email_verified=True)
    assert one_world.client("desk").delete(PLANT).status_code == 204
    assert one_world.client("desk").delete(PLANT).status_code == 404
    _, came = provider(email="second@plant.example", email_verified=True)
    assert "Accounts are by invitation" in came.content.decode()
    assert member.get("/api/me").json()["acting_for"] == "plant"


@pytest.mark.parametrize(
    ("where", "roles", "status", "code"),
    [
        (PLANT, ["supplier"], 422, "hub.role_not_of_organisation"),
        ("/api/organisations/base/domains/base.example", ["operator"], 422, "hub.domain_role"),
        ("/api/organisations/hospital/domains/plant.example", ["demand_owner"], 409, "hub.domain_taken"),
        ("/api/organisations/plant/domains/no-domain", ["demand_owner"], 422, None),
    ],
)
def test_what_a_domain_cannot_give(one_world, provider, where, roles, status, code):
    allow(one_world)
    refused = allow(one_world, where, roles=roles)
    assert refused.status_code == status and code in (None, refused.json()["code"])


def test_only_operators_vouch_for_a_domain_and_managers_see_it(one_world, provider):
    assert allow(one_world, who="owner").status_code == 403
    assert allow(one_world).status_code == 204
    assert one_world.client("owner").get("/api/organisations/plant/domains").json()[0]["domain"] == "plant.example"
    page = one_world.client("owner").get("/organisations/plant/").content.decode()
    assert "plant.example" in page and "/domains/" not in page


def test_the_operator_adds_and_removes_a_domain_on_the_page(one_world, provider):
    desk, filled = one_world.client("desk"), {"domain": "Plant.example", "roles": ["demand_owner"]}
    assert "/organisations/plant/domains/" in desk.get("/organisations/plant/").content.decode()
    wrong = desk.post("/organisations/plant/domains/", {**filled, "domain": "no domain"})
    assert wrong.status_code == 200 and "wrong-why" in wrong.content.decode()
    told = desk.post("/organisations/plant/domains/", filled, follow=True).content.decode()
    assert "/organisations/plant/domains/plant.example/end/" in told
    told = desk.post("/organisations/plant/domains/plant.example/end/", follow=True).content.decode()
    assert "/organisations/plant/domains/plant.example/end/" not in told
