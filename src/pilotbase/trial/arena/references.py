"""Players that are no application: they do nothing, guess, repeat one call, or act as a transcript says."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.transcript import Line
from pilotbase.documents.world import Tool
from pilotbase.trial.arena.playing import Json, ModelCall, PlayerLostError

_WORDS = ("a", "1", "ok", "")
_NUMBERS = (0, 1, 10, 100)
_DONE = '[{"done":true}]'


class Idle:
    """Ends every episode at once."""

    def answer(self, observation: Json) -> str:
        return _DONE


class Guesser:
    """Calls tools at random, with arguments of the schema taken from what it has read where it can."""

    def __init__(self, seed: str, acts: int = 10) -> None:
        self._random = random.Random(f"pilotbase guesser {seed}")  # noqa: S311 - it guesses, and hides nothing
        self._left = acts
        self._tools: list[Json] = []
        self._read: list[Any] = []

    def answer(self, observation: Json) -> str:
        self._tools = list(observation.get("tools", self._tools))
        self._read += _leaves(observation.get("results", observation.get("task")))
        self._left -= 1
        if self._left < 0:
            return _DONE
        tool = self._random.choice(self._tools)
        return json.dumps([{"tool": tool["name"], "arguments": self._arguments(tool["inputSchema"])}])

    def _arguments(self, schema: Json) -> dict[str, Any]:
        return {name: self._value(of) for name, of in schema.get("properties", {}).items()}

    def _value(self, schema: Json) -> Any:
        kind = schema.get("type")
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        if kind in ("integer", "number"):
            low = schema.get("minimum", 0)
            return self._random.choice([*_NUMBERS, low, schema.get("maximum", low), *self._found(int)])
        if kind == "boolean":
            return self._random.random() < 0.5
        if kind == "array":
            return [self._value(schema.get("items", {}))]
        if kind == "object":
            return self._arguments(schema)
        return self._random.choice([*_WORDS, *self._found(str)])

    def _found(self, kind: type) -> list[Any]:
        return [value for value in self._read if type(value) is kind]


class Constant:
    """Repeats one call, whatever comes back."""

    def __init__(self, call: Json) -> None:
        self._message = json.dumps([call])

    def answer(self, observation: Json) -> str:
        return self._message


class RecordedPlayer:
    """Acts as a transcript says that the application did."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self._lines = iter([line for line in lines if line["kind"] in ("acts", "model", "lost")])

    def answer(self, observation: Json) -> bytes | ModelCall:
        line = next(self._lines, None)
        if line is None or line["kind"] == "lost":
            raise PlayerLostError("missing" if line is None else str(line["reason"]))
        if line["kind"] == "model":
            return ModelCall({name: value for name, value in line.items() if name not in ("kind", "turn")})
        if "acts" in line:
            return canonical_json(line["acts"])
        filler = {"too_long": b"x", "no_json": b"{", "no_acts": b" "}[line["problem"]]
        start = b"1" if line["problem"] == "no_acts" else b""
        return start.ljust(line["bytes"], filler)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the texts and numbers in a JSON value, and the words of its texts."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        yield value
        yield from value.split()
    elif isinstance(value, int):
        yield value


def extreme_calls(tools: Iterable[Tool]) -> list[Json]:
    """Return a call of each tool with its least and one with its largest arguments, each once."""
    spelled = {json.dumps(_call(tool, extreme)) for tool in tools for extreme in (min, max)}
    return [json.loads(call) for call in sorted(spelled)]


def _call(tool: Tool, extreme: Callable[[list[Any]], Any]) -> Json:
    """Return a call of a tool with its least or its largest arguments."""
    return {
        "tool": tool.name,
        "arguments": {name: _value(of, extreme) for name, of in tool.input_schema.get("properties", {}).items()},
    }


def _value(schema: Json, extreme: Callable[[list[Any]], Any]) -> Any:
    kind = schema.get("type")
    if "enum" in schema:
        return extreme([schema["enum"][0], schema["enum"][-1]])
    if kind in ("integer", "number"):
        return extreme([schema.get("minimum", 0), schema.get("maximum", 1)])
    others: Mapping[object, Any] = {"boolean": extreme([False, True]), "array": [], "object": {}}
    return others.get(kind, extreme(["", "1"]))
