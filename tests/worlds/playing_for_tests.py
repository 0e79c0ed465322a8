"""Worlds that come with the base, loaded and played in this process: acts, results, nothing else."""

import hashlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

import pilotbase.worlds
from pilotbase.documents.yaml_reader import read_yaml
from pilotbase.worlds.folders import WORLDS

FOLDER = Path(pilotbase.worlds.__file__).parent
PLAIN = [name for name in WORLDS if not (FOLDER / name / "requirements.lock").exists()]
"""Worlds that need the standard library alone, and so play in this process."""


def loaded(folder):
    """Return the program of a world, loaded anew."""
    spec = importlib.util.spec_from_file_location(f"world_{folder.name}", folder / "world.py")
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def program(name):
    return loaded(FOLDER / name)


@cache
def manifest(name):
    return read_yaml(FOLDER / name / "world.yaml").value


def episode(name, number=0, template="", language="en", arm="clean"):
    seed = hashlib.sha256(f"test {number}".encode()).digest()
    return program(name).Episode(template or manifest(name)["templates"]["public"][0], seed, language, arm)


def every(name, count=1):
    """Yield episodes of each template, language and arm of a world."""
    told = manifest(name)
    for template in (*told["templates"]["public"], *told["templates"].get("sealed", ())):
        for language in told["languages"]:
            for arm in ("clean", *told["arms"]):
                for number in range(count):
                    yield episode(name, number, template, language, arm)


def asked(name, tool):
    """Return whether the principal of an act is asked."""
    return any(tool in acts["tools"] for acts in manifest(name)["acts"].values() if acts["right"] == "consent")


def play(name, played, agent, turns=100):
    """Return the outcomes of an episode, and the observations of the agent."""
    seen = [{"task": played.task}]
    while len(seen) < turns and not played.done:
        results, user = [], None
        for act in agent.act(seen[-1]):
            if "done" in act:
                return played.finish(), seen
            if "say" in act:
                user = played.say(act["say"])
                continue
            if asked(name, act["tool"]) and not played.wants(act["tool"], act["arguments"]):
                results.append({"tool": act["tool"], "content": {"problem": "declined"}, "error": True})
                continue
            try:
                content, error = played.call(act["tool"], act["arguments"]), False
            except program(name).ToolError as refused:
                content, error = str(refused), True
            results.append({"tool": act["tool"], "content": content, "error": error})
        seen.append({"results": results, "user": user})
    return played.finish(), seen
