"""The second factor: set up, asked for at the log-in, replaced once by a recovery code."""

import re

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
