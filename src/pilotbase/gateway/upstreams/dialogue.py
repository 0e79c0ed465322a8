"""One dialogue with an agent in service: an episode played by the very code of a trial, with its caller as the world.

The agent acts in a box; the fence judges each act. One that is allowed goes out to the caller as a tool call, and what
the caller sends back is its result; words go out as an answer, and the caller's next words are the reply. An act that
needs consent is put before its principal by the base, never through agent or caller. Everything is in the transcript.

What cannot be derived again is in the log of the dialogue before anything follows from it. Where the process ends, the
next one plays the log again, up to where it breaks off: the episode by what was said, so that no act goes out twice;
and, once the agent has to say more, a fresh box, which has to say again what it said.

The episode runs in a thread of its own, which waits while the caller works; all else belongs to the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from queue import SimpleQueue
from typing import Any, Protocol

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.service import ActConsent
from pilotbase.documents.transcript import end_of
from pilotbase.documents.world import CLEAN, DecisionRight
from pilotbase.measures.formulas.json_answers import read_json
from pilotbase.protocols.openai_wire import TokenUsage, ToolCall
from pilotbase.protocols.upstream import UpstreamDownError, UpstreamFailedError
from pilotbase.sandbox.engines import Worker
from pilotbase.service.dialogue_logs import DialogueLog, DialogueState
from pilotbase.service.journal import Fields
from pilotbase.trial.arena.fencing import Ruling
from pilotbase.trial.arena.kept_worlds import KeptWorld
from pilotbase.trial.arena.model_door import OpenDoor, ReplayedDoor
from pilotbase.trial.arena.planted import gives_orders
from pilotbase.trial.arena.playing import OTHERWISE, EpisodeKey, Json, ModelCall, PlayerLostError, play
from pilotbase.trial.arena.stage import BoxedPlayer
from pilotbase.watch.warnings import ACTS, INJECTION

LEFT, STOPPED, MODEL_LOST = "caller_left", "stopped", "model_lost"
"""Ends that do not count for the agent, as `OTHERWISE`: its caller says nothing more; the service was stopped, or what
is certified barred; the model that it was certified with is gone.
"""
NOT_BY_AGENT = frozenset({LEFT, STOPPED, MODEL_LOST, OTHERWISE})
_log = logging.getLogger("pilotbase.gateway")


@dataclass(frozen=True)
class AgentReply:
    """What the caller receives next."""

    words: str
    call: ToolCall | None = None
    consent: ActConsent | None = None
    """What has to be decided before the dialogue goes on."""
    end: str | None = None
    """How the dialogue ended, as transcripts say it."""


class Principal(Protocol):
    """Where the base puts acts before whoever has to know of them; each raises `PilotbaseError`."""

    def ask(self, dialogue: str, consent: str, tool: str, arguments: Json) -> ActConsent:
        """Return the consent of that name for an act, written down where it is not yet."""
        ...

    def decision(self, consent: ActConsent) -> bool | None:
        """Return what was decided; None: nothing yet. What nobody decides in time is declined."""
        ...

    def warn(self, dialogue: str, detector: str, tool: str) -> None:
        """Warn whoever watches the service of what a detector of dialogues has found at a tool."""
        ...


@dataclass(frozen=True)
class DialogueRecord:
    """What is kept of a dialogue that has ended."""

    transcript: str
    by_agent: bool
    """The agent itself ended it."""
    milliseconds: float
    """How long the agent took."""
    tokens: int
    """Tokens of its model that no request has taken (`Dialogue.take_usage`)."""
    cost: Decimal
    """What they cost, in the currency of its prices."""


@dataclass(frozen=True)
class DialogueOpening:
    """What a dialogue needs at its beginning; each raises `PilotbaseError`."""

    start: Callable[[], Worker]
    """Opens the agent's box."""
    open_door: Callable[[], OpenDoor | None]
    """Opens the door to its model; None: it has none."""


Recorded = Callable[["Dialogue", DialogueRecord], None]


class Dialogue:
    """A dialogue under way; made in the event loop, which it belongs to."""

    def __init__(
        self,
        world: KeptWorld,
        log: DialogueLog,
        opening: DialogueOpening,
        principal: Principal,
        recorded: Recorded,
        leaving: str = "",
    ) -> None:
        """Begin what ``log`` begins, or go on where it breaks off; ``leaving``: the end that it comes to there."""
        self._world, self._log, self._recorded = world, log, recorded
        self._opening, self._principal = opening, principal
        self.task = log.state.task
        self._loop = asyncio.get_running_loop()
        self._reply: asyncio.Future[AgentReply] = self._loop.create_future()
        self._heard: SimpleQueue[str | None] = SimpleQueue()
        self._words: list[str] = []
        self._leaving, self._over, self._let_go = leaving, False, False
        self._box: Worker | None = None
        self._door: OpenDoor | None = None
        self._agent: BoxedPlayer | None = None
        self._relay: ReplayedDoor | None = None
        self._held = contextlib.ExitStack()
        self._shown: list[tuple[Json, Fields]] = []
        self._numbers = {"call": 0, "consent": 0}
        self._found: dict[str, str] = {}
        self._used, self._taken = TokenUsage(0, 0), TokenUsage(0, 0)
        self._cost = self._taken_cost = Decimal(0)
        self._waiting = 0
        self._seconds = 0.0
        self.heard_at = time.monotonic()
        self.elsewhere = False
        """It goes on in another process, or anew from its log."""
        self._thread = threading.Thread(target=self._run, name="pilotbase-dialogue", daemon=True)
        self._thread.start()

    @property
    def state(self) -> DialogueState:
        """Return how it stands by its log."""
        return self._log.state

    @property
    def running(self) -> bool:
        """Return whether the agent may still act."""
        return not self._over

    @property
    def reply(self) -> AgentReply | None:
        """Return what the agent said last, None while it works."""
        done = self._reply.done() and not self._reply.cancelled() and self._reply.exception() is None
        return self._reply.result() if done else None

    async def replied(self) -> AgentReply:
        """Return what the agent does next; cancelled, the agent goes on, and the same request finds its answer.

        Raises:
            UpstreamDownError, UpstreamFailedError: no box could be started; the base failed.
        """
        self._waiting += 1
        try:
            return await asyncio.shield(self._reply)
        finally:
            self._waiting -= 1

    def take_usage(self) -> TokenUsage:
        """Return the tokens that the agent's model has used since this was last asked; in the event loop."""
        used, taken = self._used, self._taken
        self._taken = used
        return TokenUsage(used.prompt - taken.prompt, used.completion - taken.completion)

    def take_cost(self) -> Decimal:
        """Return what the agent's model has cost since this was last asked; in the event loop."""
        cost, self._taken_cost = self._cost - self._taken_cost, self._cost
        return cost

    def hear(self, said: str, asked: str, message: str = "") -> None:
        """Go on with the result of a call, or with the user's words; while a consent is waited for, look again.

        ``asked``: digest of the history of the request, ``message``: its name. Raises `DiskFullError`.
        """
        waits = self.reply is not None and self.reply.consent is not None
        self._log.add(asked=asked, message=message, **({} if waits else {"heard": said}))
        self._reply = self._loop.create_future()
        self._heard.put(said)

    def expect(self, history: str) -> None:
        """Expect the next request to begin with this history; raises `DiskFullError`."""
        if history != self.state.expects:
            self._log.add(expects=history)

    def let_go(self) -> None:
        """Do nothing more in this process, so that another one can go on."""
        self._let_go = True
        self.leave(STOPPED)

    def forget(self) -> None:
        """Keep nothing more of it for requests that are sent again."""
        self._log.forget()

    def leave(self, reason: str, at_once: bool = True) -> None:
        """Let the agent do nothing more; ``at_once``: its box is ended too, whatever it is doing."""
        self._leaving = self._leaving or reason
        self._heard.put(None)
        if at_once:
            for part in (self._box, self._door):
                if part is not None:
                    part.cancel()

    def wait(self) -> None:
        """Return when the thread has ended; not in the event loop."""
        self._thread.join()

    # The episode, in its thread: the application is its player, the caller its world.

    done = False
    """The world is never over by itself: callers leave."""

    def answer(self, observation: Json) -> str | ModelCall:
        """Return the agent's next message."""
        known = self._log.again("agent", "model", "lost")
        if known is not None:
            self._shown.append((observation, known))
            return _answer_in(known)
        if self._leaving == STOPPED or (self._leaving and self._agent is None):
            raise PlayerLostError(self._leaving)
        began = time.monotonic()
        try:
            message = self._player().answer(observation)
        except PlayerLostError as lost:
            raise self._lost(lost.reason) from None
        except UpstreamDownError:
            raise
        except PilotbaseError as lost:
            _log.warning("a dialogue has lost its model: %s", lost)
            raise self._lost(MODEL_LOST) from None
        finally:
            self._seconds += time.monotonic() - began
        if isinstance(message, ModelCall):
            prompt, completion = (message.fields.get(f"{of}_tokens", 0) for of in ("prompt", "completion"))
            self._used = TokenUsage(self._used.prompt + prompt, self._used.completion + completion)
            self._cost += Decimal(message.fields.get("cost", "0"))
            assert self._relay is not None
            self._log.add(model=message.fields, **self._relay.last)
        else:
            self._log.add(agent=message)
        return message

    def call(self, tool: str, arguments: Json) -> tuple[Any, bool]:
        """Let the caller carry out an act, and return its result; ``{"error": …}`` alone says that it failed."""
        spelled = canonical_json(dict(arguments)).decode()
        content = _value(self._exchange(call=ToolCall(f"call_{self._named('call')[:24]}", tool, spelled)))
        if gives_orders(content):
            self._warn(INJECTION, tool)
        failed = isinstance(content, dict) and content.keys() == {"error"}
        return (content["error"] if failed else content), failed

    def say(self, text: str, last: bool) -> str:
        """Return the user's reply; words that are not the last go out with what follows them."""
        self._words.append(text)
        if not last:
            return ""
        try:
            return self._exchange()
        except PlayerLostError as lost:
            if lost.reason != LEFT:
                raise
            return ""

    def wants(self, tool: str, arguments: Json) -> bool:
        """Return whether the principal has consented to exactly this act."""
        name, known = self._named("consent"), self._log.again("decided")
        if known is not None:
            return bool(known["decided"])
        if self._leaving:
            raise PlayerLostError(self._leaving)
        try:
            consent = self._principal.ask(self.state.identity, name, tool, arguments)
            # played again, it waits for the caller who was told of the consent, whatever was decided since
            decided = None if self.state.rests else self._principal.decision(consent)
            while decided is None:
                self._exchange(consent=consent)
                decided = self._principal.decision(consent)
        except PilotbaseError as problem:
            _log.warning("a consent could not be asked for: %s", problem)
            raise PlayerLostError(STOPPED) from problem
        if self._leaving:
            raise PlayerLostError(self._leaving)
        self._log.add(decided=decided)
        return decided

    def finish(self) -> tuple[Json, Any]:
        """Return no outcomes: whether the goal was reached the service's owner says, later."""
        return {}, None

    def _refused(self, ruling: Ruling, tool: str) -> None:
        """Warn of a forbidden act at once."""
        if ruling.right is DecisionRight.FORBIDDEN:
            self._warn(f"{ACTS}{ruling.act}", tool)

    def _warn(self, *found: str) -> None:
        """Pass warnings on, once a detector; one that cannot be kept now comes with the next, or at the end."""
        if found:
            self._found.setdefault(*found)
        for detector in self._found.keys() - self.state.warned:
            try:
                self._principal.warn(self.state.identity, detector, self._found[detector])
                self._log.add(warned=detector)
            except PilotbaseError as problem:
                _log.warning("nobody could be warned of what was found in a dialogue: %s", problem)

    def _named(self, kind: str) -> str:
        """Return the name of the next call or consent: the same whenever the dialogue is played again."""
        self._numbers[kind] += 1
        told = f"{self.state.identity}\0{kind}\0{self._numbers[kind]}"
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def _exchange(self, call: ToolCall | None = None, consent: ActConsent | None = None) -> str:
        """Hand out what comes next, and return what the caller sends back."""
        known = None if consent is not None else self._log.again("heard")
        if known is not None:
            self._said()
            return str(known["heard"])
        if not self._leaving:
            self._give(AgentReply("" if consent is not None else self._said(), call, consent))
            heard = self._heard.get()
            if heard is not None and not self._leaving:
                return heard
        raise PlayerLostError(self._leaving)

    def _said(self) -> str:
        words, self._words = "\n".join(self._words), []
        return words

    def _run(self) -> None:
        last = self._last()
        self._over = True
        self._give(last)

    def _last(self) -> _Ended | PilotbaseError:
        """Return what the dialogue ends with, when its box has ended."""
        try:
            with self._held:
                return self._played()
        except UpstreamDownError as problem:
            return problem
        except Exception:  # noqa: BLE001 - the caller gets an answer whatever the cause
            _log.exception("a dialogue has failed")
            return UpstreamFailedError("gateway.dialogue_failed")

    def _played(self) -> _Ended:
        key = EpisodeKey(self.state.identity, "", self.state.language, CLEAN, "")
        transcript = play(self._world.world, self._world.digest, key, self, self, self._refused)
        self._warn()
        found = end_of(transcript)
        assert found is not None
        return _Ended(AgentReply(self._said(), end=str(found["end"])), transcript)

    def _player(self) -> BoxedPlayer:
        """Return the agent in its box, once it has said again what it said in another one.

        Raises:
            UpstreamDownError: it cannot be started. PlayerLostError: it says something else, or may do nothing more.
        """
        if self._agent is None:
            relay = self._open_relay()
            agent = BoxedPlayer(self._open_box(), self._world.world.episode.seconds, relay)
            for observation, known in self._shown:
                if agent.answer(observation) != _answer_in(known):
                    raise PlayerLostError(OTHERWISE)
            self._agent, self._relay = agent, relay
            self._shown.clear()
            if relay is not None:
                relay.asks = True
            if self._leaving:
                raise PlayerLostError(self._leaving)
        return self._agent

    def _open_relay(self) -> ReplayedDoor | None:
        try:
            self._door = self._opening.open_door()
        except PilotbaseError as problem:
            _log.warning("the model of an agent cannot be asked: %s", problem)
            raise UpstreamDownError("gateway.model_down") from problem
        if self._door is None:
            return None
        self._held.enter_context(contextlib.closing(self._door))
        return ReplayedDoor(self._door.episode(), [known for _, known in self._shown if "model" in known])

    def _open_box(self) -> Worker:
        try:
            self._box = self._opening.start()
        except UpstreamDownError as problem:
            _log.warning("the box of a dialogue did not start: %s", problem)
            raise
        except Exception as problem:
            _log.warning("the box of a dialogue did not start: %s", problem)
            raise UpstreamDownError("gateway.no_box") from problem
        return self._held.enter_context(self._box)

    def _lost(self, reason: str) -> PlayerLostError:
        """Return how the agent was lost, which is in the log where it was not told to leave."""
        if not self._leaving:
            self._log.add(lost=reason)
        return PlayerLostError(self._leaving or reason)

    def _record(self, ended: _Ended) -> AgentReply | PilotbaseError:
        """Keep the transcript before the last words go out; tokens that a request waits to take are left to it."""
        if self._let_go:
            self._leave_log()
            return UpstreamDownError("gateway.no_box")
        tokens, cost = (0, Decimal(0)) if self._waiting else (self.take_usage().total, self.take_cost())
        by_agent = ended.reply.end not in NOT_BY_AGENT
        try:
            if not self.state.over:
                kept = DialogueRecord(ended.transcript, by_agent, self._seconds * 1000, tokens, cost)
                self._recorded(self, kept)
                self._log.add(over=True)
        except Exception:  # noqa: BLE001 - the caller gets an answer whatever the cause
            _log.exception("a dialogue could not be recorded")
            self._log.forget()
            return UpstreamFailedError("gateway.dialogue_failed")
        if self._leaving:
            self._log.forget()
        self._log.close()
        return ended.reply

    def _give(self, reply: AgentReply | _Ended | PilotbaseError) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            self._loop.call_soon_threadsafe(self._settle, reply)

    def _settle(self, reply: AgentReply | _Ended | PilotbaseError) -> None:
        """Answer the request under way, which may have come when the dialogue was ending; in the event loop."""
        if isinstance(reply, _Ended):
            reply = self._record(reply)
        elif isinstance(reply, UpstreamDownError) and self._log.goes_on:
            self._leave_log()
        elif isinstance(reply, PilotbaseError):
            self._log.forget()
        if self._reply.done():
            return
        if isinstance(reply, PilotbaseError):
            self._reply.set_exception(reply)
            self._reply.exception()  # nobody may be waiting
        else:
            self._reply.set_result(reply)

    def _leave_log(self) -> None:
        """Leave the dialogue to whoever finds its log next."""
        self.elsewhere = True
        self._log.close()


@dataclass(frozen=True)
class _Ended:
    """A dialogue that was played to its end."""

    reply: AgentReply
    transcript: str


def _answer_in(known: Fields) -> str | ModelCall:
    """Return what the agent answered by the log; raises `PlayerLostError`."""
    if "lost" in known:
        raise PlayerLostError(known["lost"])
    return ModelCall(known["model"]) if "model" in known else str(known["agent"])


def _value(text: str) -> Any:
    """Return the JSON value that a result spells, or the text itself."""
    plain = text.encode("utf-8", "replace").decode()
    try:
        found = read_json(plain)
        canonical_json(found)
    except (ValueError, PilotbaseError):
        return plain
    return found
