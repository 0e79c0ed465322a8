"""The upstream of a certified application that acts: dialogues over chat completions, each with a fresh box.

A client sends the whole history with every request, or names the dialogue. It goes on with the dialogue of the same key
that has exactly this history, or this name; a history that is not ours goes on with none. A repeated request gets the
same answer. A dialogue whose process has ended is found by its log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from secrets import token_hex
from typing import Protocol

from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.service import ActConsent, Service
from pilotbase.documents.texts import LANGUAGES, Language, text
from pilotbase.documents.transcript import DONE
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.gateway.upstreams.certified import IDLE_SECONDS, Recipe
from pilotbase.gateway.upstreams.dialogue import (
    LEFT,
    STOPPED,
    AgentReply,
    Dialogue,
    DialogueOpening,
    DialogueRecord,
    Recorded,
)
from pilotbase.gateway.upstreams.seated import SeatedBoxes
from pilotbase.gateway.upstreams.tabular import chat_reply, handed_over
from pilotbase.protocols.chat_dialogues import (
    ASSISTANT,
    TOOL,
    USER,
    ChatMessage,
    history_digest,
    read_messages,
    read_tools,
)
from pilotbase.protocols.open_inference import InferRequest
from pilotbase.protocols.openai_wire import ChatAnswer, ChatRequest
from pilotbase.protocols.strict_json import WireError
from pilotbase.protocols.upstream import AnswerStream, CallCases, QueueFullError, UpstreamCall, UpstreamReply
from pilotbase.sandbox.engines import Worker
from pilotbase.service.calls import CallObservation, ModelSpending
from pilotbase.service.dialogue_logs import MOST_ENDED, DialogueLog, DialogueLogs, DialogueState
from pilotbase.trial.arena.fencing import act_digest, judge
from pilotbase.trial.arena.kept_worlds import KeptWorld
from pilotbase.trial.arena.playing import Json
from pilotbase.watch.warnings import DialogueFinding
from pilotbase.worker.providers import Seat
from pilotbase.workspace.failures import NotFoundError


class UnknownDialogueError(InputError):
    """The key has no open dialogue with this history."""


class Office(Protocol):
    """What dialogues need of the base; raises `PilotbaseError`, and may take as long as the store takes."""

    def now(self) -> datetime:
        """Return the time by the clock of the base."""
        ...

    def ask_consent(self, service: Service, consent: ActConsent) -> None:
        """Put an act before its principal."""
        ...

    def consent(self, service: str, identity: str) -> ActConsent:
        """Return a consent as it stands."""
        ...

    def warn(self, found: DialogueFinding) -> None:
        """Warn whoever watches a service of what was found in a dialogue."""
        ...

    def stands_since(self, service: str) -> datetime:
        """Return since when a service stands as it does."""
        ...

    def observe(self, key: str, service: str, observed: CallObservation, spent: ModelSpending) -> None:
        """Keep a dialogue that has ended as an observed case."""
        ...


@dataclass(frozen=True)
class Lobby:
    """What the dialogues of one gateway share."""

    office: Office
    logs: DialogueLogs
    hub: str = ""
    """The address of the hub; empty: pages are named by their path."""


class AgentUpstream:
    """Leads as many dialogues as the terms allow boxes; used within one event loop."""

    def __init__(self, recipe: Recipe, world: KeptWorld, service: Service, seat: Seat, lobby: Lobby) -> None:
        self._recipe, self.world, self._service, self._lobby = recipe, world, service, lobby
        self._office = lobby.office
        self._boxes = SeatedBoxes(recipe.start, seat)
        self._dialogues: list[Dialogue] = []
        self._helper = ThreadPoolExecutor(1, "pilotbase-next-box")
        self._spare: Future[Worker] | None = None
        self._asked_at, self._warm = time.monotonic(), False
        self.pending = 0
        """Requests under way."""

    @property
    def ready(self) -> bool:
        return self._spare is not None and self._spare.done() and self._spare.exception() is None

    @property
    def boxes(self) -> int:
        """How many boxes run."""
        return len(self._open) + self.ready

    @property
    def is_idle(self) -> bool:
        """Return whether nobody has asked for a while though its boxes hold a seat, which others could have."""
        silent = time.monotonic() - self._asked_at > IDLE_SECONDS
        return silent and not self.pending and not self._open and self._boxes.has_seat

    async def tend(self) -> None:
        """End dialogues whose callers are gone, and look after the seat of the boxes."""
        idle = time.monotonic() - self._service.terms.idle_seconds
        for dialogue in self._open:
            if dialogue.reply is not None and dialogue.heard_at < idle:
                dialogue.leave(LEFT, at_once=False)
        ended = [one for one in self._dialogues if not one.running]
        kept = [one for one in ended if one.heard_at >= idle and not one.elsewhere][-MOST_ENDED:]
        self._dialogues = [one for one in self._dialogues if one.running or one in kept]
        if (self._open or self._spare is not None) and not await asyncio.to_thread(self._boxes.tend):
            self.recall()
        self._prepare()

    def recall(self) -> None:
        """Let no agent of this route do anything more: every dialogue and every box is ended."""
        for dialogue in self._open:
            dialogue.leave(STOPPED)
        self._drop_spare()

    def let_go(self) -> None:
        """Let no agent do anything more in this process; the next one goes on with their dialogues."""
        for dialogue in self._open:
            dialogue.let_go()

    def leave(self, dialogue: str) -> None:
        """End a dialogue whose caller wants nothing more of it; harmless where it has ended."""
        for one in self._open:
            if one.state.identity == dialogue:
                one.leave(LEFT)

    def known(self, key: str, dialogue: str, first: str = "") -> DialogueState | None:
        """Return how the dialogue of a key stands that has this name, or that began with the message ``first``.

        Raises `QueueFullError` where it was found by its log, and there is no room for it.
        """
        found = self._found(
            lambda state: state.key == key and (state.identity == dialogue or (bool(first) and state.first == first))
        )
        return None if found is None else found.state

    def warm(self) -> None:
        """Have the box of the next dialogue started, if there may be one more."""
        self._asked_at, self._warm = time.monotonic(), True
        self._prepare()

    def leads(self, question: UpstreamCall) -> bool:
        """Return whether a dialogue here has the history, or the name, of ``question``.

        Raises `WireError`; `QueueFullError` as `known`.
        """
        return self._led(question, read_messages(_chat(question))) is not None

    async def ask(self, question: UpstreamCall) -> UpstreamReply | AnswerStream:
        content = _chat(question)
        messages = read_messages(content)
        self._require_tools(content)
        self._asked_at = time.monotonic()
        self.pending += 1
        try:
            dialogue, begun = self._led(question, messages), False
            if dialogue is None:
                dialogue, begun = self._begun(question, messages), True
            else:
                if dialogue.state.rests:  # if it was found by its log, it is being played again up to here
                    await dialogue.replied()
                self._go_on(dialogue, question, messages)
            asked = dialogue.state.asked
            try:
                reply = await dialogue.replied()
            except BaseException:
                if begun:  # nobody knows of it
                    dialogue.leave(LEFT)
                raise
            finally:
                question.meter.used, question.meter.cost = dialogue.take_usage(), dialogue.take_cost()
        finally:
            self.pending -= 1
        answer = replace(self._answer(question, dialogue, reply), usage=question.meter.used)
        if dialogue.state.asked == asked:
            said = ChatMessage(ASSISTANT, answer.content or "", answer.calls)
            dialogue.expect(history_digest([said], asked))
        return chat_reply(answer, content, CallCases([]))

    def hand_over(self, question: UpstreamCall) -> UpstreamReply:
        return handed_over(question, _chat(question), CallCases([question.call]))

    async def close(self) -> None:
        """End every dialogue, and wait until its transcript is kept."""
        self._boxes.close()
        self.recall()
        for dialogue in self._dialogues:
            await asyncio.to_thread(dialogue.wait)
        await asyncio.to_thread(self._helper.shutdown)
        await asyncio.to_thread(self._boxes.leave)

    @property
    def _open(self) -> list[Dialogue]:
        return [one for one in self._dialogues if one.running]

    def _led(self, question: UpstreamCall, messages: Sequence[ChatMessage]) -> Dialogue | None:
        """Return the dialogue that is named, or has these messages: all of them, or those up to our last answer."""
        if question.goes_on:
            return self._found(lambda state: (state.key, state.identity) == (question.key, question.dialogue))
        said = [place for place, one in enumerate(messages) if one.role == ASSISTANT]
        if not said:
            return None
        whole, known = history_digest(messages), history_digest(messages[: said[-1] + 1])
        return self._found(
            lambda state: state.key == question.key and known == state.expects,
            lambda state: state.key == question.key and whole == state.asked,
        )

    def _found(self, *wanted: Callable[[DialogueState], bool]) -> Dialogue | None:
        """Return the first dialogue that is as one of ``wanted``: of this process, or by its log."""
        here = [one for one in self._dialogues if not one.elsewhere]
        for fits, one in product(wanted, here):
            if fits(one.state):
                return one
        version = self._recipe.route.application.digest
        log = self._lobby.logs.find(
            self._service.name, lambda state: state.version == version and any(fits(state) for fits in wanted)
        )
        return None if log is None else self._go_on_with(log)

    def _go_on_with(self, log: DialogueLog) -> Dialogue | None:
        """Return the dialogue of a log that no process leads; None where its service was stopped meanwhile."""
        stopped = not log.state.over and self._office.stands_since(self._service.name) > log.state.at
        if not log.state.over and not stopped and len(self._open) >= self._service.terms.workers:
            log.close()
            raise self._full()
        since = (self._office.now() - log.state.at).total_seconds()
        opening = DialogueOpening(self._boxes.start, self._recipe.open_door)
        dialogue = self._lead(log, opening, leaving=STOPPED if stopped else "")
        dialogue.heard_at -= since
        return None if stopped else dialogue

    def _begun(self, question: UpstreamCall, messages: Sequence[ChatMessage]) -> Dialogue:
        """Return a new dialogue.

        Raises:
            UnknownDialogueError: the messages are no beginning. WireError: they are not one task alone.
            QueueFullError: as many dialogues are open as may. DiskFullError: no log of it can be kept.
        """
        if question.goes_on or any(one.role in (ASSISTANT, TOOL) for one in messages):
            raise UnknownDialogueError("gateway.unknown_dialogue")
        if [one.role for one in messages] != [USER] or not messages[0].words:
            raise WireError("gateway.one_task", field="messages")
        if len(self._open) >= self._service.terms.workers:
            raise self._full()
        spoken = self.world.world.languages
        log = self._lobby.logs.begin(
            service=self._service.name,
            identity=question.dialogue or token_hex(16),
            key=question.key,
            task=messages[0].words,
            language=question.language if question.language in spoken else spoken[0],
            route=self._recipe.route.to_json_value(),
            idle_seconds=self._service.terms.idle_seconds,
            first=question.message,
            message=question.message,
            asked=history_digest(messages),
        )
        spare, self._spare = self._spare, None
        dialogue = self._lead(log, DialogueOpening(lambda: self._box(spare), self._recipe.open_door))
        self.warm()
        return dialogue

    def _lead(self, log: DialogueLog, opening: DialogueOpening, leaving: str = "") -> Dialogue:
        principal = _Principal(self._service, self.world, log.state.version, self._office)
        dialogue = Dialogue(self.world, log, opening, principal, _recorder(self._office), leaving)
        self._dialogues.append(dialogue)
        return dialogue

    def _full(self) -> QueueFullError:
        terms = self._service.terms
        return QueueFullError("gateway.dialogues_full", seconds=1, most=terms.workers, idle=round(terms.idle_seconds))

    def _go_on(self, dialogue: Dialogue, question: UpstreamCall, messages: Sequence[ChatMessage]) -> None:
        """Pass on what follows our last answer, unless that was done before.

        Raises `WireError` if something else must follow, `UnknownDialogueError` if nothing can.
        """
        state, reply = dialogue.state, dialogue.reply
        dialogue.heard_at = time.monotonic()
        new, asked = _following(state, question, messages)
        waiting = reply is not None and reply.consent is not None
        if not waiting and (asked == state.asked or (question.goes_on and not new)):
            return
        if reply is None or reply.end is not None or not dialogue.running:
            raise UnknownDialogueError("gateway.unknown_dialogue")
        if reply.call is not None:
            if [(one.role, one.answers) for one in new] != [(TOOL, reply.call.identity)]:
                raise WireError("gateway.result_wanted", field="messages", call=reply.call.identity)
        elif asked != state.asked and (any(one.role != USER for one in new) or not (new or waiting)):
            raise WireError("gateway.words_wanted", field="messages")
        dialogue.hear("\n".join(one.words for one in new), asked, question.message)

    def _require_tools(self, content: ChatRequest) -> None:
        """Return if the request offers no tools, or those that were certified; raises `WireError`."""
        offered = read_tools(content)
        certified = {tool.name: tool.input_schema for tool in self.world.world.tools}
        if offered is not None and _spelled(offered) != _spelled(certified):
            raise WireError("gateway.other_tools", field="tools", certified=", ".join(certified))

    def _answer(self, question: UpstreamCall, dialogue: Dialogue, reply: AgentReply) -> ChatAnswer:
        words, refusal = reply.words, None
        language = next((one for one in LANGUAGES if one == dialogue.state.language), question.language)
        told: dict[str, object] = {"dialogue": dialogue.state.identity}
        if reply.consent is not None:
            consent = reply.consent
            page = f"{self._lobby.hub}/services/{consent.service}/consents/{consent.consent}/"
            asks = text("gateway.consent_needed", act=_act_in_words(consent, language), page=page)
            words = "\n\n".join(filter(None, (words, asks.render(language))))
            told["consent"] = {
                "consent": consent.consent,
                "act": consent.act,
                "tool": consent.tool,
                "arguments": consent.arguments,
                "page": page,
                "expires_at": consent.expires_at.isoformat(),
            }
        if reply.end is not None:
            told["ended"] = reply.end
            if reply.end != DONE:
                refusal = text("gateway.dialogue_ended", reason=reply.end).render(language)
        calls = () if reply.call is None else (reply.call,)
        content = words or (None if calls or refusal else "")
        name = f"chatcmpl-{question.call}"
        return ChatAnswer(name, question.service, question.created, content, refusal=refusal, calls=calls, told=told)

    def _box(self, spare: Future[Worker] | None) -> Worker:
        """Return the box that was started before, if it still runs, else another."""
        if spare is not None:
            with suppress(Exception):
                if (box := spare.result()).running:
                    return box
        return self._boxes.start()

    def _prepare(self) -> None:
        """Have the box of the next dialogue started, if there may be one more."""
        if self._warm and self._spare is None and len(self._open) < self._service.terms.workers:
            self._spare = self._helper.submit(self._boxes.start)

    def _drop_spare(self) -> None:
        spare, self._spare, self._warm = self._spare, None, False
        if spare is not None:
            spare.add_done_callback(_close)


def end_as_left(log: DialogueLog, recipe: Recipe, service: Service, lobby: Lobby) -> None:
    """End a dialogue that nobody goes on with where its log breaks off, and record it."""
    assert recipe.world is not None
    principal = _Principal(service, recipe.world, log.state.version, lobby.office)
    opening = DialogueOpening(recipe.start, recipe.open_door)
    Dialogue(recipe.world, log, opening, principal, _recorder(lobby.office), LEFT)


def _recorder(office: Office) -> Recorded:
    """Return what keeps the transcript of a dialogue as the answer of one case."""

    def recorded(dialogue: Dialogue, kept: DialogueRecord) -> None:
        state = dialogue.state
        observed = CallObservation(
            ids=[state.identity],
            inputs={},
            answers=[kept.transcript],
            end=CallEnd.ANSWERED if kept.by_agent else CallEnd.CANCELLED,
            version=state.version,
            milliseconds=kept.milliseconds,
            at=office.now(),
        )
        office.observe(state.key, state.service, observed, ModelSpending(kept.tokens, kept.cost))

    return recorded


def _following(
    state: DialogueState, question: UpstreamCall, messages: Sequence[ChatMessage]
) -> tuple[Sequence[ChatMessage], str]:
    """Return what follows our last answer, and the digest of the whole history."""
    if not question.goes_on:
        last = max(place for place, one in enumerate(messages) if one.role == ASSISTANT)
        return messages[last + 1 :], history_digest(messages)
    new = [one for one in messages if one.role == TOOL or one.words]
    again = history_digest(new, state.followed)
    if again == state.asked and any(one.role == TOOL for one in new):
        return new, again
    return new, history_digest(new, state.expects or state.followed)


class _Principal:
    """Puts acts of one dialogue before whoever has to consent, or to know that they were tried."""

    def __init__(self, service: Service, world: KeptWorld, version: str, office: Office) -> None:
        self._service, self._world, self._version, self._office = service, world.world, version, office

    def ask(self, dialogue: str, consent: str, tool: str, arguments: Json) -> ActConsent:
        with suppress(NotFoundError):
            return self._office.consent(self._service.name, consent)
        now, kind = self._office.now(), judge(self._world, tool, arguments).act
        known = self._world.tool(tool)
        assert known is not None
        asked = ActConsent(
            consent=consent,
            service=self._service.name,
            dialogue=dialogue,
            version=self._version,
            act=act_digest(tool, arguments),
            act_class=kind,
            of=self._world.acts[kind].of,
            tool=tool,
            description=known.description,
            arguments=dict(arguments),
            reversible=self._world.acts[kind].reversible,
            asked_at=now,
            expires_at=now + timedelta(seconds=self._service.terms.idle_seconds),
        )
        self._office.ask_consent(self._service, asked)
        return asked

    def warn(self, dialogue: str, detector: str, tool: str) -> None:
        self._office.warn(DialogueFinding(self._service.name, dialogue, detector, tool))

    def decision(self, consent: ActConsent) -> bool | None:
        found, now = self._office.consent(self._service.name, consent.consent), self._office.now()
        if found.waits(now):
            return None
        return found.act == consent.act and found.allows(now)


def _chat(question: UpstreamCall) -> ChatRequest:
    content = question.content
    if isinstance(content, InferRequest):
        raise WireError("wire.other_protocol", field="model", spoken="OpenAI")
    if content.place != ChatRequest.place:
        raise WireError("wire.other_task", field="model", place=content.place, instead=ChatRequest.place)
    assert isinstance(content, ChatRequest)
    return content


def _spelled(tools: object) -> bytes:
    try:
        return canonical_json(tools)
    except (InputError, ValueError):
        return b""


def _act_in_words(consent: ActConsent, language: Language) -> str:
    """Return an act as its principal reads it: what the tool does, its name, and every argument."""
    spelled = canonical_json(consent.arguments).decode()
    return " · ".join(filter(None, (localized(consent.description, language), f"{consent.tool} {spelled}")))


def _close(started: Future[Worker]) -> None:
    if started.exception() is None:
        started.result().close()
