"""The second factor: set up, asked for at the log-in, replaced once by a recovery code."""

import re

import pytest

from tests.hub.live_for_tests import token_of
from tests.hub.worlds_for_tests import PASSWORD


def code_of(secret):
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def log_in(client):
    return client.post("/account/login/", {"login": "signer@example.org", "password": PASSWORD})


def test_set_up_and_log_in(one_world):
    from allauth.mfa.models import Authenticator

    browser = one_world.client()
    log_in(browser)
    start = browser.get("/account/second-factor/app/start/")
    assert start["Location"].startswith("/account/reauthenticate/"), "a stolen session cannot change it"
    page = browser.post(start["Location"], {"password": PASSWORD}, follow=True).content.decode()
    secret = re.search(r'<code class="secret">(\w+)</code>', page)[1]
    done = browser.post("/account/second-factor/app/start/", {"code": code_of(secret)})
    assert done.status_code == 302, done.content.decode()[:2000]
    codes = re.findall(r"<li><code>([^<]+)</code></li>", browser.get("/account/second-factor/codes/").content.decode())
    assert len(codes) == 10
    assert secret not in str(Authenticator.objects.get(type="totp").data), "the secret is kept encrypted"

    other = one_world.client()
    assert log_in(other)["Location"].startswith("/account/second-factor/enter/")
    assert other.get("/work/").status_code == 302, "the password alone opens nothing"
    assert other.post("/account/second-factor/enter/", {"code": "000000"}).status_code == 200
    assert other.post("/account/second-factor/enter/", {"code": codes[0]}).status_code == 302
    assert other.get("/work/").status_code == 200

    third = one_world.client()
    log_in(third)
    assert third.post("/account/second-factor/enter/", {"code": codes[0]}).status_code == 200, "each code works once"


@pytest.fixture
def needed(one_world, settings_of_hub):
    """Operators need a second factor; only the signer has one."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import TOTP

    Authenticator.objects.all().delete()
    TOTP.activate(one_world.people["signer"], "JBSWY3DPEHPK3PXP")
    settings_of_hub(second_factor_roles=("operator",))
    yield one_world
    Authenticator.objects.all().delete()


def test_whose_role_needs_it_sets_it_up_before_anything_else(needed):
    desk = needed.client("desk")
    for path in ("/work/", "/people/", "/organisations/", "/account/tokens/"):
        assert desk.get(path)["Location"] == "/account/second-factor/", path
    assert "Your role needs a second factor" in desk.get("/account/second-factor/").content.decode()
    assert desk.get("/scenarios/").status_code == 200, "as a visitor sees it"
    assert desk.post("/people/p-owner/block/")["Location"] == "/account/second-factor/"
    assert needed.client("signer").get("/work/").status_code == 200
    assert needed.client("owner").get("/work/").status_code == 200, "other roles need none"


def test_programs_of_whom_it_lacks_are_refused_with_the_reason(needed):
    from allauth.mfa.totp.internal.auth import TOTP

    program = {"HTTP_AUTHORIZATION": f"Bearer {token_of(needed, 'planner')}"}
    for refused in (needed.client().get("/api/me", **program), needed.client("planner").get("/api/me")):
        assert (refused.status_code, refused.json()["code"]) == (403, "hub.second_factor_needed")
    TOTP.activate(needed.people["planner"], "JBSWY3DPEHPK3PXP")
    assert needed.client().get("/api/me", **program).status_code == 200


def test_another_operator_resets_a_lost_factor(needed):
    from pilotbase.hub.base import operator_view

    signer = needed.client("signer")
    assert signer.delete("/api/people/p-signer/second-factor").json()["code"] == "hub.not_oneself"
    from allauth.mfa.totp.internal.auth import TOTP

    TOTP.activate(needed.people["planner"], "JBSWY3DPEHPK3PXP")
    assert signer.post("/people/p-planner/reset_factor/").status_code == 302
    assert not signer.get("/api/people/p-planner").json()["second_factor"]
    done = [entry.facts["person"] for entry in operator_view().log_entries(limit=10_000) if "factor" in entry.action]
    assert done == ["p-planner"]


@pytest.mark.parametrize(
    ("url", "said", "needing"),
    [
        ("https://hub.example", "", {"operator"}),
        ("http://127.0.0.1:8000", "", set()),
        ("https://hub.example", "none", set()),
        ("http://127.0.0.1:8000", "operator, regulator", {"operator", "regulator"}),
    ],
)
def test_who_needs_one_is_a_setting(url, said, needing):
    from pilotbase.hub.configuration import HubConfiguration

    found = HubConfiguration.from_environment(
        {"PILOTBASE_HOME": "home", "PILOTBASE_HUB_URL": url, "PILOTBASE_HUB_SECOND_FACTOR_ROLES": said}
    )
    assert found.factor_roles == needing
