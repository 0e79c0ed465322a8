"""A dialogue without a box: which act goes out, what words wait for, and that nothing follows a stop."""

import asyncio
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason
from pilotbase.documents.transcript import end_of, read_transcript
from pilotbase.gateway.upstreams.dialogue import LEFT, STOPPED, Dialogue, DialogueOpening
from pilotbase.protocols.frames import AnswerBatch
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.service.dialogue_logs import DialogueLogs
from pilotbase.trial.arena.playing import OTHERWISE
from tests.trial.arena.in_process import DIGEST
from tests.trial.arena.in_process import world as toy_world

NOW = datetime(2026, 12, 1, tzinfo=UTC)
HEAD = {
    "service": "clerk",
    "identity": "d",
    "key": "k",
    "task": "t",
    "language": "en",
    "route": {},
    "idle_seconds": 60,
    "asked": "history 0",
}


class Scripted:
    """Stands where a box does, and sends the given messages."""

    def __init__(self, *messages):
        self.messages, self.seen, self.gone = list(messages), [], False

    def predict(self, batch):
        if self.gone:
            raise BoxEnded(BoxEnd(EndReason.CANCELLED))
        self.seen.append(json.loads(batch.columns["observation"][0]))
        return AnswerBatch(np.array([json.dumps(self.messages.pop(0))], dtype=object))

    def cancel(self):
        self.gone = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gone = True


class Person:
    """Decides as told: None for not yet."""

    def __init__(self, *decisions):
        self.decisions, self.asked, self.warned, self.away = list(decisions), [], [], 0

    def warn(self, dialogue, act, tool):
        if self.away:
            self.away -= 1
            raise PilotbaseError("workspace.busy")
        self.warned.append((act, tool))

    def ask(self, dialogue, consent, tool, arguments):
        self.asked.append((tool, dict(arguments)))
        return SimpleNamespace(asked_at=NOW, expires_at=NOW + timedelta(hours=1))

    def decision(self, consent):
        return self.decisions.pop(0)


def lead(box, heard, person=None, log=None):
    """Return what the caller received, one by one, and the transcript; ``heard``: what it sends, or how it leaves."""

    async def run():
        kept = []
        world = SimpleNamespace(world=toy_world(), digest=DIGEST)
        dialogue = Dialogue(
            world,
            log or DialogueLogs(Path(tempfile.mkdtemp()), lambda: NOW).begin(**HEAD),
            DialogueOpening(lambda: box, lambda: None),
            person or Person(),
            lambda one, record: kept.append((record.transcript, record.by_agent, record.milliseconds)),
        )
        replies = [await dialogue.replied()]
        for words in heard:
            if words in (LEFT, STOPPED):
                dialogue.leave(words, at_once=words == STOPPED)
            else:
                dialogue.hear(words, f"history {len(replies)}")
                replies.append(await dialogue.replied())
        await asyncio.to_thread(dialogue.wait)
        await asyncio.sleep(0)
        assert not dialogue.running
        return replies, kept[0]

    return asyncio.run(run())


def test_words_alone_wait_for_the_user_and_others_go_out_with_what_follows():
    box = Scripted([{"say": "I look."}, {"tool": "look"}], [{"say": "Which?"}], [{"say": "Bye."}, {"done": True}])
    replies, (transcript, by_agent, _) = lead(box, ['{"room": "red"}', "The blue one."])
    assert [(one.words, one.call.name if one.call else None, one.end) for one in replies] == [
        ("I look.", "look", None), ("Which?", None, None), ("Bye.", None, "done"),
    ]  # fmt: skip
    assert by_agent and box.seen[2] == {"results": [], "user": "The blue one."}
    assert [line["kind"] for line in read_transcript(transcript)][-1] == "end"


def test_an_act_goes_out_only_after_its_principals_yes_and_no_is_told():
    pay = {"tool": "pay", "arguments": {"amount": 7}}
    box, person = Scripted([pay, pay], [{"done": True}]), Person(None, None, True, False)
    replies, (transcript, *_) = lead(box, ["yes, pay!", "granted", '{"paid": 7}'], person)
    assert [one.consent is not None for one in replies] == [True, True, False, False]
    assert replies[2].call.name == "pay" and person.asked == [("pay", {"amount": 7})] * 2
    assert [line["ruling"] for line in read_transcript(transcript) if line["kind"] == "call"] == [
        "consented",
        "declined",
    ]
    assert box.seen[1]["results"][1]["content"] == {"problem": "declined"}


def test_nothing_is_done_after_a_stop_or_by_nobodys_leave():
    box = Scripted([{"tool": "look"}, {"tool": "look"}], [{"tool": "look"}])
    replies, (transcript, by_agent, _) = lead(box, [STOPPED])
    assert len(replies) == 1 and len(box.seen) == 1 and not by_agent
    assert end_of(transcript)["end"] == STOPPED
    _, (transcript, by_agent, _) = lead(Scripted([{"tool": "look"}]), [LEFT])
    assert end_of(transcript)["end"] == LEFT and not by_agent
    _, (transcript, by_agent, _) = lead(Scripted([{"say": "The bill is paid."}]), [LEFT])
    assert end_of(transcript)["end"] == "done" and by_agent  # words that nobody answers end an episode


def test_a_forbidden_act_is_told_once_a_dialogue_and_later_if_nobody_can_be_told_now():
    burn, much = {"tool": "burn"}, {"tool": "pay", "arguments": {"amount": 700}}
    for away in (0, 1, 3):
        person = Person(False)
        person.away = away
        acts = [burn, burn, much, {"tool": "nothing"}, {"tool": "pay", "arguments": {"amount": 7}}, {"done": True}]
        lead(Scripted(acts), [], person)
        assert person.warned == ([] if away == 3 else [("act:burn", "burn")]), "no other ruling is a forbidden act"


def again(folder):
    """Return the log of the dialogue once the process that led it has gone."""
    return DialogueLogs(folder, lambda: NOW).find("clerk", lambda state: True)


def test_a_log_is_played_again_without_a_box_until_the_agent_has_to_say_more(tmp_path):
    acts = [{"tool": "pay", "arguments": {"amount": 7}}, {"tool": "look"}], [{"say": "Which?"}], [{"done": True}]
    log, person = DialogueLogs(tmp_path, lambda: NOW).begin(**HEAD), Person(True)
    begun = led(Scripted(*acts), log, person, ['{"paid": 7}'])
    log.close()
    idle = Scripted()
    assert led(idle, again(tmp_path), Person(), []) == begun[-1:] and not idle.seen
    box = Scripted(*acts)
    replies, (transcript, *_) = lead(box, ['{"room": "red"}', "The red one."], Person(), again(tmp_path))
    assert [(one.words, one.end) for one in replies] == [("", None), ("Which?", None), ("", "done")]
    assert replies[0] == begun[-1] and person.asked == [("pay", {"amount": 7})]
    calls = [(line["tool"], line["result"]) for line in read_transcript(transcript) if line["kind"] == "call"]
    assert calls == [("pay", {"paid": 7}), ("look", {"room": "red"})]


def led(box, log, person, heard):
    """Return what the caller received until its process was killed."""

    async def run():
        world = SimpleNamespace(world=toy_world(), digest=DIGEST)
        dialogue = Dialogue(world, log, DialogueOpening(lambda: box, lambda: None), person, lambda *_: None)
        replies = [await dialogue.replied()]
        for words in heard:
            dialogue.hear(words, f"history {len(replies)}")
            replies.append(await dialogue.replied())
        dialogue.let_go()
        await asyncio.to_thread(dialogue.wait)
        await asyncio.sleep(0)
        return replies

    return asyncio.run(run())


def test_an_agent_that_says_something_else_when_played_again_does_nothing_more(tmp_path):
    log = DialogueLogs(tmp_path, lambda: NOW).begin(**HEAD)
    led(Scripted([{"tool": "look"}]), log, Person(), [])
    replies, (transcript, by_agent, _) = lead(Scripted([{"tool": "burn"}]), ["{}"], Person(), again(tmp_path))
    assert replies[-1].end == end_of(transcript)["end"] == OTHERWISE and not by_agent
    assert end_of(transcript)["tried"] == {"look": 1, "free": 1}
