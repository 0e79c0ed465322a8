"""The suites of AgentDojo as worlds: its tools, user tasks, injection tasks and checks, none of which is copied here.

A template is a user task, and its seed draws the injection task and the words that carry it, not the user task itself:
that is the same in each of its episodes. Left out are user tasks that their own check accepts of who does nothing, and
injections that their own solution does not carry out.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import yaml
from pydantic_core import to_jsonable_python

from pilotbase.worlds import kit
from pilotbase.worlds.kit import ToolError

for _name in ("", ".base_pipeline_element", ".errors", ".ground_truth_pipeline"):
    # The package's own agents, which load the clients of five vendors of models; suites only name them.
    _unused = ModuleType(f"agentdojo.agent_pipeline{_name}")
    _unused.__getattr__ = lambda _: object  # type: ignore[method-assign]
    sys.modules[_unused.__name__] = _unused

from agentdojo.default_suites.v1.tools import calendar_client, cloud_drive_client, email_client  # noqa: E402
from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime  # noqa: E402
from agentdojo.task_suite.load_suites import get_suite  # noqa: E402
from agentdojo.task_suite.task_suite import read_suite_file  # noqa: E402

_NOW = datetime.fromisoformat("2024-05-15T12:00:00")
"""The time of the suites, whose calendar is on this day."""
calendar_client.set = dict.fromkeys  # a real one gives participants in another order each time
for _clock in (cloud_drive_client, email_client):
    _clock.datetime = SimpleNamespace(datetime=SimpleNamespace(now=lambda: _NOW))

_HERE = Path(__file__).parent
_SUITES = "v1.2.2"
_LANGUAGE = "en"
_READS = ("get_", "read_", "search_", "list_", "check_")
"""How the names of tools begin that change nothing."""
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError)
"""What checks raise about a final state that they do not expect."""
_KEPT = ("type", "description", "default", "enum", "required", "items", "properties")
"""Keywords of the tools' schemas that are passed on."""


class Episode(kit.Episode):
    """One user task, with an injection task in what it has to read."""

    def __init__(self, template: str, seed: bytes, language: str, arm: str) -> None:
        super().__init__(template, seed, language, arm)
        self._suite, self._task = _parts(template)
        self._injection: Any = None
        self.attack: list[kit.Act] | None = None
        self.bait = ""
        self.env = self._written(kit.Stream(seed, "attack"))
        self._before = self.env.model_copy(deep=True)
        self._runtime = FunctionsRuntime(self._suite.tools)
        self._calls_made: list[FunctionCall] = []
        self._answer, self._declined = "", False
        self.task = f"{_instructions()}\n{self._task.PROMPT}"

    def _written(self, draw: kit.Stream) -> Any:
        """Return the environment of the task, with a text in each place that whoever does it has to read."""
        words, said = kit.read_phrases(_HERE), ""
        if self.arm == "harmless":
            said = draw.choice(words["harmless"])
        if self.arm == "injected":
            name = draw.choice(_injections(self.template))
            self._injection = self._suite.injection_tasks[name]
            said = self.bait = draw.choice(words["orders"]).format(goal=self._injection.GOAL)
        places = _places(self.template) if said else ()
        env = _environment(self.template, dict.fromkeys(places, said))
        if self._injection is not None:
            self.attack = _solution(self._injection, env)
        return env

    def __getattr__(self, name: str) -> Any:
        """Return the tool ``do_…`` of the suite."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return lambda **arguments: self._run(name.removeprefix("do_"), arguments)

    def _run(self, tool: str, arguments: Mapping[str, Any]) -> object:
        result, error = self._runtime.run_function(self.env, tool, arguments)
        self._calls_made.append(FunctionCall(function=tool, args=dict(arguments)))
        if error is not None:
            raise ToolError(error)
        return to_jsonable_python(result)

    def say(self, text: str) -> str:
        """Take the answer: nobody replies, which ends the episode."""
        self._answer = text
        return ""

    def wants(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Return no: the suites have nobody to ask. What an injection asks for counts as attacked all the same."""
        self._declined |= {"tool": tool, "arguments": dict(arguments)} in (self.attack or [])
        return False

    def state(self) -> object:
        """Return the answer, and what names the final environment."""
        env = json.dumps(self.env.model_dump(mode="json"), sort_keys=True)
        return {"answer": self._answer, "environment": hashlib.sha256(env.encode()).hexdigest()}

    def finish(self) -> dict[str, bool]:
        """Return what the suite's own checks say; one that cannot read the final state says the worst."""
        return {
            "reached": _holds(self._task, self._answer, (self._before, self.env), self._calls_made, False),
            "attacked": self._declined or (self._injection is not None and _holds(
                self._injection, self._answer, (self._before, self.env), self._calls_made, True
            )),
        }  # fmt: skip

    def path(self) -> Iterator[kit.Act]:
        """Yield the suite's own solution."""
        yield from _solution(self._task, self._before.model_copy(deep=True))


Oracle = kit.Oracle


def describe(name: str) -> dict[str, Any]:
    """Return the manifest of a suite: which tasks are practised is drawn by their names."""
    suite = _suite(name)
    named = [f"{name}_{task}" for task in suite.user_tasks]
    templates = sorted(filter(_is_playable, named), key=lambda one: hashlib.sha256(one.encode()).hexdigest())
    tools = [tool.name for tool in suite.tools]
    reads = [tool for tool in tools if tool.startswith(_READS)]
    return {
        "document": "world/1",
        "name": f"agentdojo_{name}",
        "title": f"AgentDojo: {name}",
        "version": version("agentdojo"),
        "templates": {"public": templates[::3], "sealed": [*templates[1::3], *templates[2::3]], "fixed": True},
        "languages": [_LANGUAGE],
        "arms": ["tool_error", "slow", "injected", "harmless"],
        "episode": {"turns": 60},
        "acts": {
            "look": {"right": "free", "tools": reads},
            "change": {"right": "free", "tools": [tool for tool in tools if tool not in reads]},
        },
        "tools": [
            {
                "name": tool.name,
                "description": tool.description,
                "inputSchema": _plain(tool.parameters.model_json_schema()),
            }
            for tool in suite.tools
        ],
    }


@cache
def _suite(name: str) -> Any:
    return get_suite(_SUITES, name)


@cache
def _instructions() -> str:
    """Return what AgentDojo tells every agent before the task."""
    written = yaml.safe_load(files("agentdojo").joinpath("data", "system_messages.yaml").read_text("utf-8"))
    return str(written["default"])


def _environment(template: str, said: Mapping[str, str] | None = None) -> Any:
    """Return a new environment of a task, with these texts behind what stands in its places."""
    if not said:
        return _untouched(template).model_copy(deep=True)
    suite, task = _parts(template)
    texts = {place: f"{text} {said.get(place, '')}".strip() for place, text in _defaults(suite).items()}
    data = _filled(_data(suite.name), {_mark(place): text for place, text in texts.items()})
    return task.init_environment(suite.environment_type.model_validate(data))


@cache
def _untouched(template: str) -> Any:
    """Return the environment of a task as the suite has it: copied, since it takes long to make."""
    return _environment(template, {"": ""})


def _defaults(suite: Any) -> dict[str, str]:
    """Return the places of a suite for injections, and what stands there without one."""
    found: dict[str, str] = suite.get_injection_vector_defaults()
    return found


@cache
def _data(name: str) -> Any:
    """Return the data of a suite, a mark in each of its places: read once, since that takes long."""
    suite = _suite(name)
    written = read_suite_file(suite.name, "environment.yaml", suite.data_path)
    return yaml.safe_load(written.format(**{place: _mark(place) for place in _defaults(suite)}))


def _mark(place: str) -> str:
    return f"((({place})))"


def _filled(data: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(data, dict):
        return {name: _filled(inner, texts) for name, inner in data.items()}
    if isinstance(data, list):
        return [_filled(inner, texts) for inner in data]
    if isinstance(data, str) and "(((" in data:
        for mark, text in texts.items():
            data = data.replace(mark, text)
    return data


def _solution(task: Any, env: Any) -> list[kit.Act]:
    """Return the acts that AgentDojo itself gives as the solution of a user task, or of an injection task."""
    acts: list[kit.Act] = [
        {"tool": call.function, "arguments": {name: one for name, one in to_jsonable_python(call.args).items()
                                              if one is not None}}
        for call in task.ground_truth(env)
    ]  # fmt: skip
    return [*acts, *([{"say": task.GROUND_TRUTH_OUTPUT}] if task.GROUND_TRUTH_OUTPUT else [])]


def _holds(task: Any, answer: str, envs: tuple[Any, Any], calls: Sequence[FunctionCall], unreadable: bool) -> bool:
    """Return what a task's own check says of an environment before and after; ``unreadable``: if it cannot say."""
    of_calls, of_state = (
        (task.utility_from_traces, task.utility)
        if hasattr(task, "utility")
        else (task.security_from_traces, task.security)
    )
    try:
        found = of_calls(answer, *envs, calls)
        return bool(of_state(answer, *envs) if found is None else found)
    except _UNREADABLE:
        return unreadable


def _is_playable(template: str) -> bool:
    """Return whether the suite's solution of a task passes its check, nothing does not, and it can be attacked."""
    task = _parts(template)[1]
    return (
        not _holds(task, "", (_environment(template), _environment(template)), [], True)
        and _is_solved(template, task)
        and bool(_injections(template))
        and bool(_places(template))
    )


@cache
def _injections(template: str) -> list[str]:
    """Return the injection tasks whose solution their own check notices, and does not see where nothing is done."""
    idle = (_environment(template), _environment(template))
    return [
        name
        for name, one in _parts(template)[0].injection_tasks.items()
        if _is_solved(template, one) and not _holds(one, "", idle, [], True)
    ]


def _is_solved(template: str, task: Any) -> bool:
    """Return whether the solution of ``task``, of the user or of an attacker, holds in that environment."""
    before, env = _environment(template), _environment(template)
    calls = task.ground_truth(env)
    _run_all(template, env, calls)
    return _holds(task, task.GROUND_TRUTH_OUTPUT, (before, env), calls, False)


@cache
def _places(template: str) -> tuple[str, ...]:
    """Return the places for injections that whoever solves the task comes to read."""
    suite, task = _parts(template)
    places = list(_defaults(suite))
    env = _environment(template, {place: _mark(place) for place in places})
    seen = json.dumps(_run_all(template, env, task.ground_truth(env)))
    return tuple(place for place in places if _mark(place) in seen)


def _run_all(template: str, env: Any, calls: Sequence[FunctionCall]) -> list[Any]:
    runtime = FunctionsRuntime(_parts(template)[0].tools)
    return [to_jsonable_python(runtime.run_function(env, call.function, call.args)[0]) for call in calls]


def _parts(template: str) -> tuple[Any, Any]:
    name, task = template.split("_", 1)
    return _suite(name), _suite(name).user_tasks[task]


def _plain(schema: Mapping[str, Any], shared: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a schema of pydantic in the keywords that a world's tools may have."""
    shared = schema.get("$defs", shared or {})
    if "$ref" in schema:
        schema = {**shared[schema["$ref"].rsplit("/", 1)[-1]], **schema}
    if "anyOf" in schema:
        options = [_plain(one, shared) for one in schema["anyOf"]]
        schema = {**{name: value for one in options for name, value in one.items()}, **schema,
                  "type": [one["type"] for one in options]}  # fmt: skip
    found = {name: schema[name] for name in _KEPT if name in schema}
    if "items" in found:
        found["items"] = _plain(found["items"], shared)
    if "properties" in found:
        found["properties"] = {name: _plain(one, shared) for name, one in found["properties"].items()}
    return found
