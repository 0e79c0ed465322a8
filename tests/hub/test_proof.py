"""Public proof: a badge that says what holds now, and a check in the browser that no forged file passes."""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import pilotbase.hub
from tests.hub.accessibility_for_tests import examine
from tests.hub.live_for_tests import listening
from tests.hub.test_browser import CHROMIUM, Visit, browser

__all__ = ["browser"]
PROOF = Path(pilotbase.hub.__file__).parent / "static/hub/proof.js"
NODE = shutil.which("node")
RUN = """
import { readFileSync } from "node:fs";
import { check } from "./proof.mjs";
const found = [];
for (const one of JSON.parse(readFileSync(0, "utf8"))) {
  const told = {};
  for await (const [step, outcome] of check(one)) told[step] = outcome;
  found.push(told);
}
console.log(JSON.stringify(found));
"""
STEPS = ("key", "statement", "time", "list", "log")


@pytest.fixture(scope="module")
def certified(one_world):
    one_world.trial.reach("certified")
    return one_world


@pytest.fixture(scope="module")
def address(certified):
    with listening(certified) as found:
        yield found


@pytest.fixture
def set_clock(certified) -> Iterator[Callable[[datetime], None]]:
    from pilotbase.hub.base import base

    store = base().lab.store
    before = store.clock
    yield lambda moment: object.__setattr__(store, "clock", lambda: moment)
    object.__setattr__(store, "clock", before)


def public_files(certified) -> dict[str, object]:
    """What the page reads, as anybody gets it."""
    serial = certified.trial.report.digest().partition(":")[2]
    addresses = {
        "envelope": f"/api/certificates/{serial}/envelope",
        "proof": f"/api/certificates/{serial}/proof",
        "roots": "/certificates/trust-roots.json",
        "revocations": "/certificates/revocations.json",
    }
    found = {name: certified.client().get(address).json() for name, address in addresses.items()}
    issued = certified.trial.certificate.certificate.issued_at
    return {**found, "serial": serial, "now": (issued + timedelta(hours=1)).timestamp() * 1000}


def outcomes(folder: Path, *cases: dict[str, object]) -> list[dict[str, str]]:
    shutil.copy(PROOF, folder / "proof.mjs")
    (folder / "run.mjs").write_text(RUN)
    done = subprocess.run([NODE, "run.mjs"], cwd=folder, input=json.dumps(cases).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def altered(envelope: dict[str, object], old: str, new: str) -> dict[str, object]:
    payload = base64.b64decode(envelope["payload"]).decode()
    assert old in payload
    return {**envelope, "payload": base64.b64encode(payload.replace(old, new).encode()).decode()}


@pytest.mark.skipif(NODE is None, reason="no node on this machine: the script was not run")
def test_the_browser_finds_what_was_forged(certified, tmp_path):
    true = public_files(certified)
    proof, head = true["proof"], true["proof"]["entries"]["head"]
    forged = {
        "key": {"envelope": altered(true["envelope"], '"accept"', '"reject"')},
        "statement": {"serial": "0" * 64},
        "time": {"now": true["now"] + 500 * 86_400_000},
        "list": {"revocations": altered(true["revocations"], '"number":1', '"number":2')},
        "log": {"proof": {**proof, "entries": {"head": {**head, "path": head["path"][1:]}}}},
    }
    entry = head["entry"].replace("certificate.issued", "certificate.isseud")
    cases = [
        true,
        *({**true, **change} for change in forged.values()),
        {**true, "proof": {**proof, "entries": {"head": {**head, "entry": entry}}}},
        {**true, "proof": {**proof, "checkpoint": proof["checkpoint"].replace("\n\n", "1\n\n", 1)}},
        {**true, "roots": {**true["roots"], "roots": []}},
        {**true, "now": true["now"] + 3 * 86_400_000},
        {**true, "proof": None},
    ]
    holding, *found = outcomes(tmp_path, *cases)
    assert holding == dict.fromkeys(STEPS, "holds")
    for step, told in zip(forged, found, strict=False):
        assert told[step] == "fails", step
    assert {step for told in found[1:5] for step, outcome in told.items() if outcome == "fails"} <= {*forged}
    another_entry, another_size, no_root, later, unread = found[5:]
    assert another_entry["log"] == another_size["log"] == unread["log"] == "fails"
    assert no_root["key"] == no_root["list"] == "fails"
    assert later["list"] == "unknown", "a list of the day before yesterday says nothing about today"


def test_the_page_says_what_is_checked_and_how_without_script(certified):
    serial = public_files(certified)["serial"]
    page = certified.client(HTTP_ACCEPT_LANGUAGE="en").get(f"/certificates/{serial}/").content.decode()
    assert all(f'data-step="{step}"' in page for step in STEPS)
    assert "Nor does it repeat the trial" in page and "pilotbase certificate verify" in page
    assert "badge.en.svg&quot; alt=&quot;Pilotbase certificate of forest 1.0.0&quot; height=&quot;24&quot;" in page


def test_what_a_stolen_key_signed_looks_good_nowhere(certified, set_clock, monkeypatch):
    from pilotbase.certificate.trust import TrustFolder
    from pilotbase.hub.base import base

    stated, serial = certified.trial.certificate.certificate, public_files(certified)["serial"]
    set_clock(stated.issued_at)
    stolen = base().trust.state.signing_key
    root = base().trust.roots().roots[-1].model_copy(update={"revoked_keys": (stolen,)})
    roots = base().trust.roots().model_copy(update={"roots": (root,)})
    monkeypatch.setattr(TrustFolder, "roots", lambda _: roots)
    page = certified.client(HTTP_ACCEPT_LANGUAGE="en").get(f"/certificates/{serial}/").content.decode()
    assert "Not valid" in page and "proof fail" in page and "proof pass" not in page
    badge = certified.client().get(f"/certificates/{serial}/badge.en.svg").content.decode()
    assert "not valid" in badge and "#17702b" not in badge


def test_the_badge_says_what_holds_now(certified, set_clock):
    from pilotbase.certificate.revoking import reinstate, revoke, suspend
    from pilotbase.hub.base import base

    stated, serial = certified.trial.certificate.certificate, public_files(certified)["serial"]
    now = stated.issued_at + timedelta(days=3)
    set_clock(now)

    def shown(language: str = "en") -> str:
        answer = certified.client().get(f"/certificates/{serial}/badge.{language}.svg")
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin", "else no other page may show it"
        assert answer["Cache-Control"] == "public, max-age=300" and "Set-Cookie" not in answer
        return answer.content.decode()

    def gallery(state: str) -> bool:
        return "forest 1.0.0" in certified.client().get(f"/certified/?state={state}").content.decode()

    opened = base()
    listed = (opened.trust, opened.lab.view, opened.revocations, stated.serial)
    assert f"certified until {stated.expires_at.date()}" in shown() and "#17702b" in shown()
    assert f"验证有效期至 {stated.expires_at.date()}" in shown("zh")
    assert gallery("valid") and not gallery("suspended")
    suspend(*listed, "recall has fallen", now)
    assert f"suspended since {now.date()}" in shown() and gallery("suspended") and not gallery("valid")
    reinstate(*listed, now)
    set_clock(stated.expires_at)
    assert f"expired {stated.expires_at.date()}" in shown() and gallery("expired")
    set_clock(now)
    revoke(*listed, "It drifted.", now)
    assert f"revoked {now.date()}" in shown() and "#17702b" not in shown() and gallery("revoked")


def test_a_valid_certificate_that_rejects_has_no_green_badge(certified, set_clock):
    from pilotbase.documents.vocabularies import Verdict
    from pilotbase.hub.presenters.states import certificate_shown

    stated = certified.trial.certificate.certificate
    set_clock(stated.issued_at)
    other = stated.model_copy(update={"verdict": Verdict.REJECT, "serial": "sha256:" + "1" * 64})
    badge = certificate_shown(other, holds=True).badge("en")
    assert "not certified" in badge and "#17702b" not in badge


@pytest.mark.prove
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the page was not opened")
@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1280, "light"), ("zh", 390, "dark")])
def test_a_visitor_checks_a_certificate_on_its_page(address, browser, certified, language, width, theme):
    visit = Visit(browser, address, None, language, width, script=True, theme=theme)
    page = visit.go(f"/certificates/{public_files(certified)['serial']}/").page
    assert not examine(page)
    page.click("[data-prove]")
    page.wait_for_selector("[data-step=log] .status")
    found = {step: page.get_attribute(f"[data-step={step}] .status", "class") for step in STEPS}
    assert [found[step] for step in ("key", "statement", "log")] == ["status pass"] * 3, found
    assert not examine(page) and not examine(visit.go("/certified/").page) and visit.complaints == []
    visit.close()
