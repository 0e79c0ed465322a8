"""Passkeys in a real browser with an authenticator of its own, and what attackers send in place of one."""

import json
import os

import pytest

from tests.hub.accessibility_for_tests import examine
from tests.hub.live_for_tests import listening
from tests.hub.walk_for_tests import ARGUMENTS, CHROMIUM, Person
from tests.hub.worlds_for_tests import PASSWORD

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: no passkey was made")
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
FACTORS, LOGIN = "/account/second-factor/", "/account/second-factor/passkeys/login/"


@pytest.fixture(scope="module")
def address(one_world):
    """A hub that browsers reach by a name: numbers have no passkeys."""
    from dataclasses import replace

    from django.conf import settings

    kept = settings.CONFIGURATION
    with listening(one_world) as address:
        named = address.replace("127.0.0.1", "localhost")
        settings.CONFIGURATION = replace(kept, url=named)
        yield named
    settings.CONFIGURATION = kept


@pytest.fixture(scope="module")
def browser(address):
    """A browser beside which tests look at the accounts: both in this thread, one after the other."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with playwright.sync_playwright() as session:
        found = session.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Holder(Person):
    """Somebody whose browser has an authenticator."""

    def __init__(self, browser, address, **options):
        super().__init__(browser, address, **options)
        self.devices = self.context.new_cdp_session(self.page)
        self.devices.send("WebAuthn.enable")
        made = self.devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        self.device = made["authenticatorId"]

    def log_in(self, who="owner"):
        return self.go("/account/login/").fill(login=f"{who}@example.org", password=PASSWORD).press()

    def leave(self):
        self.context.clear_cookies()
        return self

    def add(self, name):
        self.go(FACTORS).press("main a[href$='/passkeys/new/']")
        if "/reauthenticate/" in self.page.url:
            self.fill(password=PASSWORD).press()
        self.fill(name=name).press("form[data-passkey] button")
        return self

    def press_passkey(self):
        return self.press("form[data-passkey] button")

    @property
    def keys(self):
        return self.devices.send("WebAuthn.getCredentials", {"authenticatorId": self.device})["credentials"]

    def put(self, key):
        self.devices.send("WebAuthn.addCredential", {"authenticatorId": self.device, "credential": key})


@pytest.fixture
def owner(browser, address):
    """The owner with one passkey, signed in."""
    from allauth.mfa.models import Authenticator
    from django.core.cache import cache

    cache.clear()
    Authenticator.objects.all().delete()
    holder = Holder(browser, address).log_in().add("Phone")
    yield holder
    holder.context.close()
    Authenticator.objects.all().delete()


@pytest.fixture(scope="module")
def visitor(browser, address):
    """Somebody at the log-in page."""
    holder = Holder(browser, address).go("/account/login/")
    yield holder
    holder.context.close()


def test_made_named_used_and_removed(owner):
    assert "recovery" in owner.said.lower(), "whoever loses the device comes in by a code"
    owner.leave().go("/account/login/?next=/account/").press_passkey()
    assert owner.page.url.endswith("/account/"), "without a password, and without a second question"
    owner.go(FACTORS).press("main a[href$='/name/']")
    owner.press_passkey() if "/passkeys/again/" in owner.page.url else owner.fill(password=PASSWORD).press()
    owner.fill(name="Blue phone").press()
    assert "Blue phone" in owner.said

    owner.press("main a[href$='/remove/']").press()
    assert "Blue phone" not in owner.said
    owner.leave().go("/account/login/").page.click("form[data-passkey] button")
    owner.page.wait_for_selector(".note")
    assert owner.go("/work/").page.url.endswith("/account/login/?next=/work/"), "a removed passkey opens nothing"
    assert [one for one in owner.complaints if "401" not in one] == []


def test_it_follows_the_password(owner):
    owner.leave().log_in()
    assert owner.page.url.endswith("/second-factor/enter/"), "the password alone opens nothing"
    assert owner.press_passkey().page.url.endswith("/work/")


def test_it_is_the_second_factor_that_a_role_needs(owner, settings_of_hub):
    settings_of_hub(second_factor_roles=("demand_owner",))
    assert owner.go("/work/").page.url.endswith("/work/")
    from allauth.mfa.models import Authenticator

    Authenticator.objects.all().delete()
    assert owner.go("/work/").page.url.endswith(FACTORS)


def test_it_confirms_who_changes_the_account(owner, address):
    owner.leave().log_in().press_passkey()
    owner.go(FACTORS).press("main a[href$='/passkeys/new/']")
    assert "/reauthenticate/" in owner.page.url
    owner.press("main a[href*='/passkeys/again/']").press_passkey()
    assert owner.page.url.endswith("/passkeys/new/")


def test_a_copy_is_refused_and_the_log_says_so(owner):
    from pilotbase.hub.base import operator_view

    copied = owner.keys[0]
    owner.leave().go("/account/login/").press_passkey()
    assert owner.page.url.endswith("/work/")
    thief = Holder(owner.context.browser, owner.address)
    thief.put(copied)
    thief.go("/account/login/").press_passkey()
    assert "may have been copied" in thief.page.inner_text("body")
    assert thief.go("/work/").page.url.endswith("/account/login/?next=/work/")
    done = [one.facts["person"] for one in operator_view().log_entries(limit=10_000) if one.action == "passkey.copied"]
    assert done == ["p-owner"]
    thief.context.close()


def test_who_is_blocked_has_no_way_in(owner):
    from pilotbase.hub.models import Person as Account

    Account.objects.filter(identity="p-owner").update(is_active=False)
    owner.leave().go("/account/login/").press_passkey()
    assert "/inactive/" in owner.page.url
    Account.objects.filter(identity="p-owner").update(is_active=True)


def answer_kept(holder):
    """Press the button, and return what the browser would have sent."""
    keep = "this.dataset.kept = this.elements.credential.value"
    holder.page.evaluate(f"() => {{ HTMLFormElement.prototype.submit = function () {{ {keep}; }}; }}")
    holder.page.click("form[data-passkey] button")
    return holder.page.wait_for_selector("[data-kept]").get_attribute("data-kept")


def posted(holder, credential):
    """Send an answer with the cookies of a browser."""
    token = holder.page.locator("form[data-passkey] [name=csrfmiddlewaretoken]").get_attribute("value")
    form = {"credential": credential, "csrfmiddlewaretoken": token}
    headers = {"Referer": holder.address, "Origin": holder.address}
    return holder.context.request.post(holder.address + LOGIN, form=form, headers=headers, max_redirects=0)


def send(holder, credential):
    """Send an answer; return whether it let them in."""
    sent = posted(holder, credential)
    assert sent.status < 500, sent.text()
    return sent.headers.get("location", "").endswith("/work/")


def test_an_answer_works_once_and_for_one_browser(owner):
    other = Holder(owner.context.browser, owner.address).go("/account/login/")
    owner.leave().go("/account/login/")
    kept = answer_kept(owner)
    assert not send(other, kept), "the challenge was another browser's"
    assert send(owner, kept)
    owner.leave().go("/account/login/")
    assert not send(owner, kept), "the challenge is spent"
    other.context.close()


def test_a_refused_answer_spends_its_challenge(owner):
    owner.leave().go("/account/login/")
    kept = answer_kept(owner)
    broken = json.loads(kept)
    broken["response"]["signature"] = broken["response"]["signature"][::-1]
    assert not send(owner, json.dumps(broken))
    assert not send(owner, kept)


def test_an_answer_given_elsewhere_is_refused(owner, settings_of_hub):
    """A page at another port of the same name may ask for the passkey, and must not have it."""
    owner.leave().go("/account/login/")
    kept = answer_kept(owner)
    settings_of_hub(url="http://localhost:1")
    assert not send(owner, kept)


@pytest.mark.parametrize(
    "sent",
    ["", "[]", "null", "7", "{}", '{"id":"x","rawId":"y"}', '{"rawId":"AA","response":[]}', "[" * 900, "9" * 9000,
     '{"id":"AA","rawId":"AA","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA",'
     '"userHandle":"enp6enp6enp6enp6enp6enp6enp6eg"}}'],
)  # fmt: skip
def test_what_is_no_answer_is_refused(visitor, sent):
    visitor.context.request.get(visitor.address + LOGIN, headers={"Accept": "application/json"})
    assert not send(visitor, sent)


def test_guessing_is_throttled(owner):
    owner.leave().go("/account/login/")
    token = owner.page.locator("form[data-passkey] [name=csrfmiddlewaretoken]").get_attribute("value")
    form, place = {"credential": "{}", "csrfmiddlewaretoken": token}, "/account/second-factor/passkeys/login/"
    statuses = {owner.context.request.post(owner.address + place, form=form, max_redirects=0).status for _ in range(61)}
    assert statuses == {302, 429}


@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1280, "light"), ("zh", 390, "dark")])
def test_its_pages_are_for_everybody(browser, address, language, width, theme):
    from allauth.mfa.models import Authenticator

    holder = Holder(browser, address, language=language, width=width, color_scheme=theme)
    found = examine(holder.go("/account/login/").page)
    holder.log_in("supplier").go(FACTORS).press("main a[href$='/passkeys/new/']").fill(password=PASSWORD).press()
    found += examine(holder.page)
    holder.fill(name="Phone").press("form[data-passkey] button")
    for path in (FACTORS, f"{FACTORS}passkeys/again/"):
        found += examine(holder.go(path).page)
    for act in ("name", "remove"):
        found += examine(holder.go(FACTORS).press(f"main a[href$='/{act}/']").page)
    found += examine(holder.leave().log_in("supplier").page)
    assert not found, "\n".join(found)
    assert holder.complaints == []
    holder.context.close()
    Authenticator.objects.all().delete()
