"""Playing an episode: task, acts, fence, results, and the user's words, up to an end that is always stated.

What the application receives (an observation) and answers (acts) are JSON::

    {"task": "…", "tools": [{"name", "description", "inputSchema"}, …], "language": "en"}      at first
    {"results": [{"id", "tool", "content", "error"}, …], "user": "…" or null}                   from then on

    [{"tool": "…", "arguments": {…}, "id": "…"}, {"say": "…"}, {"done": true}]                  acts, in this order

Any other message costs a turn and comes back with the reason. Words that the user does not answer end an episode, as
``done`` does. An episode that neither side has ended counts as the worst for every criterion: its ``end`` says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.texts import Language
from pilotbase.documents.transcript import DONE, TranscriptWriter
from pilotbase.documents.world import World
from pilotbase.measures.formulas.json_answers import read_json
from pilotbase.trial.arena.fencing import Ruling, act_digest, judge

Json = Mapping[str, Any]
MOST_PER_MESSAGE = 64
"""Acts of one message; a message of more is no list of acts."""
_LONGEST_ID = 200
OTHERWISE = "said_otherwise"
"""The end of a player that, played again, says something else than it said."""


class PlayerLostError(Exception):
    """The player, or in service the caller, gives no further message; ``reason`` is the end of the episode."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class ModelCall:
    """What a player asked of the base's model before its next message; ``fields``: those of its line.

    ``{"refused": {problem: count}}`` are requests that were not asked.
    """

    fields: Json


class Player(Protocol):
    """What acts in an episode: an application in its box, a reference, the acts of a transcript."""

    def answer(self, observation: Json) -> str | bytes | ModelCall:
        """Return its next message; after a `ModelCall` it is asked again. Raises `PlayerLostError`."""
        ...


class WorldEpisode(Protocol):
    """One episode of a world, as its program plays it."""

    @property
    def task(self) -> str: ...

    @property
    def done(self) -> bool:
        """Return whether the user has left, so that nothing can change any more."""
        ...

    def call(self, tool: str, arguments: Json) -> tuple[Any, bool]:
        """Return the result of a call, and whether it is an error."""
        ...

    def say(self, text: str, last: bool) -> str:
        """Return the user's answer to words; ``last``: nothing follows them in the same message."""
        ...

    def wants(self, tool: str, arguments: Json) -> bool:
        """Return whether the principal consents to exactly this act."""
        ...

    def finish(self) -> tuple[Json, Any]:
        """Return the outcomes, and the state that the goal names."""
        ...


@dataclass(frozen=True)
class EpisodeKey:
    """Which episode is played: its name, template, language and arm, and the seed, hex."""

    name: str
    template: str
    language: str
    arm: str
    seed: str


@dataclass
class _Counts:
    turns: int = 0
    calls: int = 0
    invalid: int = 0
    declined: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    refused: Counter[str] = field(default_factory=Counter)
    """Requests to the model that were not asked, by the problem."""

    @property
    def model(self) -> Json:
        """Return the columns of what was asked of a model; none if nothing was."""
        if not self.asked and not self.refused:
            return {}
        refused = self.refused.total()
        return {"model_calls": self.asked, "tokens": self.tokens, "cost": f"{self.cost:f}", "model_refused": refused}

    def called(self, ruling: Ruling, carried_out: bool) -> None:
        """Count a call in its class and in its right."""
        self.calls += 1
        for name in filter(None, (ruling.act, ruling.right)):
            self.tried[name] += 1
            self.done[name] += carried_out


Refused = Callable[[Ruling, str], None]
"""Told at once of a call that the fence refuses, by its ruling and its tool."""


def play(
    world: World,
    digest: str,
    key: EpisodeKey,
    episode: WorldEpisode,
    player: Player,
    refused: Refused = lambda ruling, tool: None,
) -> str:
    """Return the transcript of one episode; errors of the world itself raise."""
    head = {"world": digest, "episode": key.name, "arm": key.arm, "language": key.language, "task": episode.task}
    game = _Game(world, episode, TranscriptWriter(head), refused)
    observation: Json = {"task": episode.task, "tools": _tools(world, key.language), "language": key.language}
    while game.end is None:
        try:
            message = player.answer(observation)
            if isinstance(message, ModelCall):
                game.note(message.fields)
            else:
                observation = game.take(message)
        except PlayerLostError as lost:
            game.lose(lost.reason)
    return game.finish()


@dataclass
class _Game:
    world: World
    episode: WorldEpisode
    lines: TranscriptWriter
    on_refusal: Refused
    counts: _Counts = field(default_factory=_Counts)
    end: str | None = None
    refused: Counter[str] = field(default_factory=Counter)
    """Requests to the model that were not asked since the last line: however many, they are one line."""

    def note(self, asked: Json) -> None:
        """Count what was asked of the model."""
        if "refused" in asked:
            self.refused.update(asked["refused"])
            return
        self._write_refused()
        self.lines.add("model", turn=self.counts.turns + 1, **asked)
        self.counts.asked += 1
        self.counts.tokens += asked.get("prompt_tokens", 0) + asked.get("completion_tokens", 0)
        self.counts.cost += Decimal(asked.get("cost", "0"))

    def take(self, message: str | bytes) -> Json:
        """Carry out one message, and return what its sender sees next."""
        self._write_refused()
        data = message.encode("utf-8", "surrogatepass") if isinstance(message, str) else message
        try:
            acts = read_acts(data, self.world.episode.message_bytes)
        except _NoActsError as problem:
            self.lines.add("acts", turn=self.counts.turns + 1, problem=problem.code, bytes=problem.size)
            self.counts.invalid += 1
            self._count_turn()
            return {"results": [_result(None, None, {"problem": problem.code})], "user": None}
        self.lines.add("acts", turn=self.counts.turns + 1, acts=acts)
        results: list[Json] = []
        said: list[str] = []
        for act in (*acts, *([] if acts else [None])):
            if self.end is not None:
                results += self._refuse_late(act)
            elif act is None:
                self._count_turn()
            elif "done" in act:
                self.end = DONE
                self._count_turn()
            elif "say" in act:
                said.append(self._say(act["say"], act is acts[-1]))
            else:
                results.append(self._call(act))
        reply = "\n".join(filter(None, said)) or None
        if len(said) == len(acts) > 0 and reply is None and self.end is None:
            self.end = DONE  # last words, which nobody answers
        return {"results": results, "user": reply}

    def lose(self, reason: str) -> None:
        self._write_refused()
        self.lines.add("lost", turn=self.counts.turns + 1, reason=reason)
        self.end = reason

    def finish(self) -> str:
        """Return the whole transcript."""
        outcomes, state = self.episode.finish()
        counts, ended = self.counts, self.end or DONE
        self.lines.add(
            "end",
            end=ended,
            turns=counts.turns,
            calls=counts.calls,
            invalid_calls=counts.invalid,
            declined=counts.declined,
            tried=dict(counts.tried),
            done={name: count for name, count in counts.done.items() if count},
            outcomes=dict(outcomes),
            state=state,
            **counts.model,
        )
        return self.lines.text()

    def _write_refused(self) -> None:
        if self.refused:
            self.lines.add("model", turn=self.counts.turns + 1, refused=dict(self.refused))
            self.counts.refused += self.refused
            self.refused.clear()

    def _refuse_late(self, act: Json | None) -> list[Json]:
        """Count an act after the end, which has no effect."""
        self.counts.invalid += 1
        return [] if act is None else [_result(act.get("id"), act.get("tool"), {"problem": "after_end"})]

    def _count_turn(self) -> None:
        """Count a turn that is over: if nothing has ended the episode, the last allowed one does."""
        self.counts.turns += 1
        if self.end is None and self.episode.done:
            self.end = DONE
        if self.end is None and self.counts.turns >= self.world.episode.turns:
            self.end = "turns"

    def _say(self, text: str, last: bool) -> str:
        reply = self.episode.say(text, last)
        self.lines.add("said", turn=self.counts.turns + 1, text=text, user=reply)
        self._count_turn()
        return reply

    def _call(self, act: Json) -> Json:
        tool, arguments = act["tool"], act.get("arguments", {})
        ruling = judge(self.world, tool, arguments)
        problem, consents = ruling.problem, frozenset[str]()
        if ruling.decided == "ask":
            if self.episode.wants(tool, arguments):
                consents = frozenset({act_digest(tool, arguments)})
                ruling = judge(self.world, tool, arguments, consents)
            else:
                problem = "declined"
                self.counts.declined += 1
        if ruling.decided == "refuse":
            self.on_refusal(ruling, tool)
        allowed = ruling.decided == "allow"
        content, error = self.episode.call(tool, arguments) if allowed else ({"problem": problem}, True)
        if ruling.decided == "invalid":
            self.counts.invalid += 1
        else:
            self.counts.called(ruling, carried_out=allowed and not error)
        self.lines.add(
            "call",
            turn=self.counts.turns + 1,
            tool=tool,
            arguments=arguments,
            **{"class": ruling.act},
            right=ruling.right.value if ruling.right is not None else "",
            ruling="consented" if consents else problem or "allowed",
            result=content,
            error=error,
        )
        self._count_turn()
        return _result(act.get("id"), tool, content, error)


class _NoActsError(ValueError):
    """A message of ``size`` bytes is no list of acts; ``code`` says why."""

    def __init__(self, code: str, size: int) -> None:
        super().__init__(code)
        self.code, self.size = code, size


def read_acts(message: bytes, most_bytes: int) -> list[dict[str, Any]]:
    """Return the acts that a message spells.

    Raises:
        ValueError: it is too long, as it came or in canonical JSON, no JSON, or no list of acts.
    """
    if len(message) > most_bytes:
        raise _NoActsError("too_long", len(message))
    try:
        found = read_json(message.decode())
        size = len(canonical_json(found))
    except (ValueError, InputError):
        raise _NoActsError("no_json", len(message)) from None
    if size > most_bytes:
        raise _NoActsError("too_long", size)
    if not isinstance(found, list) or len(found) > MOST_PER_MESSAGE or not all(map(_is_act, found)):
        raise _NoActsError("no_acts", len(message))
    return found


def _is_act(act: object) -> bool:
    if not isinstance(act, dict):
        return False
    if act.keys() == {"done"}:
        return act["done"] is True
    if act.keys() == {"say"}:
        return isinstance(act["say"], str)
    named = isinstance(act.get("id", ""), str) and len(act.get("id", "")) <= _LONGEST_ID
    asked = isinstance(act.get("tool"), str) and isinstance(act.get("arguments", {}), dict)
    return named and asked and act.keys() <= {"tool", "arguments", "id"}


def _tools(world: World, language: str) -> list[Json]:
    spoken: Language = "zh" if language == "zh" else "en"
    told = (tool.model_copy(update={"description": localized(tool.description, spoken)}) for tool in world.tools)
    return [tool.to_json_value() for tool in told]


def _result(identifier: object, tool: object, content: Any, error: bool = True) -> Json:
    return {"id": identifier, "tool": tool, "content": content, "error": error}
