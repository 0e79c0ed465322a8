"""A base with a certified agent in service, whose task says what it tries: one message of acts after the other."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.worker.trials.proving import prove
from tests.gateway.gateways_for_tests import Live, Place, listening, opened
from tests.trial.arena.agents import GOOD, UTILITY, write_agent, write_scenario

SCRIPTED = (
    GOOD.replace("import re\n", "import json, os, re, time\n")
    .replace(
        "        self.step += 1\n        if self.step == 1:\n",
        "        self.step += 1\n"
        '        if observation.get("task", "").startswith("["):\n'
        '            self.script = json.loads(observation["task"])\n'
        '        if getattr(self, "script", None) is not None:\n'
        "            return self.scripted(observation)\n"
        "        if self.step == 1:\n",
    )
    .replace(
        "\n\ndef agent():",
        """
    def scripted(self, observation):
        acts = self.script.pop(0) if self.script else [{"done": True}]
        if acts == "exit":
            os._exit(3)
        if acts == "sleep":
            time.sleep(1.5)
            acts = [{"say": "awake"}]
        if acts == "stall":
            time.sleep(100)
        if acts == "flood":
            return "x" * 10_000_000
        if acts == "tell":
            acts = [{"say": json.dumps(observation.get("results"))}]
        return acts


def agent():""",
    )
)
"""Acts as its task spells; with any other task it does what the trial asks for."""


def task(*messages: object) -> str:
    """Return the task of an agent that sends these messages."""
    return json.dumps(messages)


def live_over(**settings: Any) -> Callable[..., Live]:
    """Return the fixture ``live`` of a module whose ``place`` is its own."""

    @pytest.fixture(scope="module")
    def live(place: Place) -> Iterator[Live]:
        with listening(place.base, GatewayConfiguration(**settings)) as live:
            yield live

    return live


@contextmanager
def proven_agent(
    program: str = SCRIPTED, interface: str = "act", change: Callable[[Path], None] = lambda scenario: None
) -> Iterator[Place]:
    """Yield a base that has proven an agent in the toy world; ``change``: of the scenario's folder."""
    folder = Path(tempfile.mkdtemp(prefix="pilotbase-agents-"))
    base = opened(folder / "home")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pilotbase.trial.cases_to_seal.require_sound", lambda lab, kept: None)
            scenario = write_scenario(folder, UTILITY, "tried(forbidden) <= 0.3", cases=12)
            change(scenario)
            application = write_agent(folder, program)
            manifest = application / "application.yaml"
            manifest.write_text(manifest.read_text().replace("interface: act", f"interface: {interface}"))
            prove(base, scenario, application)
        (issued,) = base.lab.view.find("issued-certificate")
        yield Place(base, issued.load(IssuedCertificate).certificate.serial)
    finally:
        base.lab.close()
        shutil.rmtree(folder, ignore_errors=True)
