"""Every example of docs/call-a-service.md, as it stands there, on a real gateway with a real box."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "call-a-service.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S)


def run(live, key, *command):
    own = {"PILOTBASE_GATEWAY": live.url, "PILOTBASE_SERVICE_KEY": key}
    done = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_examples_by_hand(live, place, served):
    _, infer, chat = blocks("sh")
    key = place.key(served)
    answer = json.loads(run(live, key, "sh", "-c", infer))
    assert answer["id"] == "shift-7"
    assert answer["outputs"][0]["data"] == ["broken", "fine"]
    message = json.loads(run(live, key, "sh", "-c", chat))["choices"][0]["message"]
    assert json.loads(message["content"]) == {"prediction": "broken"}


def test_the_examples_in_python_print_what_they_say(live, place, served):
    key = place.key(served)
    for program in filter(re.compile("^import", re.M).search, blocks("python")):  # others show a few lines
        (said,) = re.findall(r"print\(.*\)  # (.*)$", program, re.M)
        assert run(live, key, sys.executable, "-c", program).strip() == said
