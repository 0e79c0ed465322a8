"""The toy world played in this process, as its box plays it."""

import json
from functools import cache

from pilotbase.documents.loading import build_document
from pilotbase.documents.world import World, episode_name
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.sandbox.adapters.world_program import _Served
from pilotbase.trial.arena.playing import EpisodeKey, PlayerLostError, play
from pilotbase.trial.arena.world_box import BoxedEpisode
from tests.trial.arena.toy_world import PROGRAM, WORLD

DIGEST = "sha256:" + "0" * 64


@cache
def _compiled(source):
    return compile(source, "world.py", "exec")


class Program:
    def __init__(self, source=PROGRAM):
        self.__dict__ |= {}
        exec(_compiled(source), self.__dict__)


class InProcess:
    """Answers as `WorldBox.ask` does."""

    def __init__(self):
        self._served = _Served(Program())

    def ask(self, request):
        return json.loads(json.dumps(self._served.answer(json.loads(json.dumps(request)))))


class Scripted:
    """Sends the given messages, then is gone."""

    def __init__(self, *messages, reason="crash"):
        self.messages, self.seen, self.reason = list(messages), [], reason

    def answer(self, observation):
        self.seen.append(observation)
        if not self.messages:
            raise PlayerLostError(self.reason)
        message = self.messages.pop(0)
        return message if isinstance(message, str | bytes) else json.dumps(message, ensure_ascii=False)


@cache
def world(change=None):
    """Return the world; ``change``: of its manifest."""
    return build_document(World, parse_yaml((change(WORLD) if change else WORLD).encode(), "world.yaml"))


def key(seed="11" * 32, template="carry", language="en", arm="clean"):
    return EpisodeKey(episode_name(template, language, seed), template, language, arm, seed)


def played(player, **of):
    """Return the transcript of an episode of the toy world."""
    one = key(**of)
    return play(world(), DIGEST, one, BoxedEpisode(InProcess(), one), player)
