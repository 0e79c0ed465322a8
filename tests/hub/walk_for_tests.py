"""One walk through the hub as new users take it: invited, drafting, rehearsing, reviewing, certifying, checking."""

import io
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from email import message_from_bytes, policy
from pathlib import Path
from urllib.request import urlopen

from tests.data.workbooks_for_tests import write_workbook

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ROLES = {
    "plant": ("Harmony Plant", "和谐工厂", "demand_owner"),
    "acme": ("Acme AI", "极致智能", "supplier"),
    "institute": ("North Institute", "北方研究院", "reviewer"),
    "ministry": ("City Data Bureau", "市数据局", "regulator"),
}
"""Organisation → its names and its role."""
PEOPLE = {
    "owner": ("plant", "demand_owner", "zh"),
    "supplier": ("acme", "supplier", "en"),
    "reviewer": ("institute", "reviewer", "zh"),
    "regulator": ("ministry", "regulator", "en"),
    "planner": ("pilot-base", "operator", "en"),
    "signer": ("pilot-base", "operator", "zh"),
}
"""Person → organisation, role, and the language of their browser."""
PASSWORD = "correct horse battery staple"
CASES = 900


def cases() -> list[list[object]]:
    """Rows of a table with its header: torque and grade tell most of what breaks."""
    chance = random.Random(7)
    rows: list[list[object]] = [["torque", "grade", "failure"]]
    for _ in range(CASES):
        torque = round(chance.gauss(40, 10), 2)
        broken = chance.random() < (0.97 if torque > 46 else 0.01)
        rows.append([torque, chance.choice("LMH"), "broken" if broken else "fine"])
    return rows


MANIFEST = """
document: application/1
name: torque-limit
version: 1.0.0
title: {en: Torque limit, zh: 扭矩限值}
supplier: {organisation: acme}
licence: Apache-2.0
entry_point: app:predict
requirements: requirements.lock
model_card:
  summary: {en: Calls a spindle broken above 46 Nm., zh: 扭矩超过 46 Nm 即判为故障。}
  training_data: {en: The public sample., zh: 公开样本。}
  limitations: {en: Knows torque only., zh: 仅使用扭矩。}
  human_oversight: {en: The shift decides., zh: 由班组决定。}
"""
PROGRAM = """
def predict(batch):
    return [%s for torque in batch["torque"]]
"""


def application(answer: str, supplier: str = "acme", program: str = PROGRAM) -> bytes:
    """Return the zipped folder of an application."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("torque-limit/application.yaml", MANIFEST.replace("acme", supplier))
        archive.writestr("torque-limit/app.py", program % answer)
        archive.writestr("torque-limit/requirements.lock", "")
    return buffer.getvalue()


def workbook(folder: Path) -> Path:
    """Return a spreadsheet with the cases."""
    path = folder / "spindle-alarm.xlsx"
    write_workbook(path, cases())
    return path


class Hub:
    """A hub in a home of its own, with its worker unless ``options`` say otherwise, as ``pilotbase serve`` runs it."""

    def __init__(self, home: Path, program: str = "from pilotbase.cli import main; main()", *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.home, self.address = home, f"http://127.0.0.1:{port}"
        self.environment = {**os.environ, "PILOTBASE_HOME": str(home), "PILOTBASE_HUB_LOG": "plain"}
        self.command = [sys.executable, "-c", program, "serve", "--port", str(port)]
        self.command += ["--no-gateway", *options]
        asked = [*self.command, "--invite", "desk@walk.example"]
        found = subprocess.run(asked, env=self.environment, check=True, capture_output=True, text=True)
        self.first_link = found.stdout.strip().splitlines()[-1]
        self.log = (home / "serve.log").open("wb")
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=self.log, stderr=self.log)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 240  # on a machine that is at work
        while time.monotonic() < deadline:
            try:
                with urlopen(f"{self.address}/health/ready", timeout=1):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError((self.home / "serve.log").read_text("utf-8", "replace"))

    def mailed_link(self, address: str) -> str:
        """Return the link of the newest mail to ``address``."""
        for path in sorted((self.home / "mail").glob("*.eml"), key=lambda one: one.stat().st_mtime_ns, reverse=True):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            if mail["To"] == address:
                return re.search(r"https?://\S+/invitations/\S+", mail.get_content())[0]
        raise AssertionError(f"no mail to {address}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


class Person:
    """Somebody at a browser, who notes what the console complains of and each request elsewhere."""

    def __init__(self, browser, address, language="en", width=1280, **options):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.language(address, language)
        self.page, self.address, self.complaints = self.context.new_page(), address, []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note_request)

    def _note_request(self, request):
        if not request.url.startswith((self.address, "data:")):
            self.complaints.append(request.url)

    def language(self, address, language):
        code = "zh-hans" if language == "zh" else "en"
        self.context.add_cookies([{"name": "pilotbase-language", "value": code, "url": address}])

    def go(self, path):
        self.page.goto(path if path.startswith("http") else self.address + path)
        return self

    def press(self, selector="main form button.button"):
        """Click what leads to another page, and be there."""
        with self.page.expect_navigation():
            self.page.click(selector)
        return self

    def fill(self, within="", **fields):
        for name, value in fields.items():
            field = self.page.locator(f"{within} [name={name}]").first
            kind = field.evaluate("e => e.tagName + '.' + e.type")
            if kind.startswith("SELECT"):
                field.select_option(value)
            elif kind in ("INPUT.radio", "INPUT.checkbox"):
                self.page.check(f"[name={name}][value={value}]")
            elif kind == "INPUT.file":
                field.set_input_files(value)
            else:
                field.fill(value)
        return self

    def do(self, act, **fields):
        """Take a step with what its page offers."""
        self.press(f"main a[href$='/{act}/']").fill(**fields).press()
        assert "/acts/" not in self.page.url, self.said
        return self

    def join(self, link, name):
        """Accept an invitation and arrive at one's work."""
        self.go(link).fill(name=name, password=PASSWORD).press()
        assert self.page.url.endswith("/work/"), self.said
        return self

    @property
    def said(self) -> str:
        return self.page.inner_text("main")

    def wait_for(self, word, seconds=180):
        """Look at the page until it says ``word``."""
        from playwright.sync_api import Error

        deadline = time.monotonic() + seconds
        while word not in self.said:
            assert time.monotonic() < deadline, self.said
            time.sleep(0.5)
            with suppress(Error):  # the page, which is live, was about to load by itself
                self.page.reload()
        return self
