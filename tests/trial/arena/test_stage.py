"""The stage without boxes: a fresh player for each episode, the next one ready, and an end for whatever goes wrong."""

from types import SimpleNamespace

import numpy as np
import pytest

from pilotbase.documents.limits import EndReason
from pilotbase.documents.transcript import end_of
from pilotbase.documents.world import EPISODE_FIELDS, episode_name
from pilotbase.protocols.frames import AnswerBatch, FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded, Logs
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.trial.arena.stage import OBSERVATIONS, EpisodeStage, player_settings
from pilotbase.trial.arena.world_box import BoxedEpisode
from tests.trial.arena.in_process import DIGEST, InProcess, play, world


class World:
    """Stands for a world in its box."""

    kept = SimpleNamespace(world=world())
    closed = False

    def play(self, key, player):
        return play(world(), DIGEST, key, BoxedEpisode(InProcess(), key), player)

    def close(self, reason=EndReason.FINISHED):
        self.closed = True


class Player:
    """Stands for an application in its box, which gives ``answers`` in turn; a reason instead ends the box."""

    load_seconds, facts = 0.1, "facts"

    def __init__(self, *answers):
        self.answers, self.seen, self.closed = list(answers), [], False

    def predict(self, batch):
        self.seen.append(batch.columns["observation"][0])
        answer = self.answers.pop(0) if self.answers else '[{"done": true}]'
        if isinstance(answer, EndReason):
            raise BoxEnded(BoxEnd(answer))
        return AnswerBatch(np.array([answer], dtype=object))

    def usage(self):
        return BoxUsage(1.0, 0.5, 100 + len(self.seen), 2.0)

    def logs(self):
        return Logs("said\n", 0, False)

    def cancel(self):
        self.answers = [EndReason.CANCELLED]

    def close(self, reason=EndReason.FINISHED):
        self.closed = True


class Boxes:
    def __init__(self, *players):
        self.waiting, self.started = list(players), []

    def __call__(self, contract, settings):
        assert contract is OBSERVATIONS
        player = self.waiting.pop(0) if self.waiting else Player()
        self.started.append(player)
        if isinstance(player, EndReason):
            raise BoxEnded(BoxEnd(player))
        return player


def batch(count=1, first=0):
    rows = [(episode_name("carry", "en", seed), "carry", "en", "clean", seed) for seed in
            (f"{number:064x}" for number in range(first, first + count))]  # fmt: skip
    columns = zip(*rows, strict=True)
    named = zip(EPISODE_FIELDS, columns, strict=True)
    return FeatureBatch({field.name: np.array(column, dtype=object) for field, column in named}, count)


def stage(*players):
    boxes = Boxes(*players)
    return EpisodeStage(boxes, World(), BoxSettings()), boxes


def ends(answered):
    return [end_of(text)["end"] for text in answered.values]


def test_every_episode_has_a_box_of_its_own_and_what_they_used_is_added_up():
    playing, boxes = stage()
    with playing:
        assert ends(playing.predict(batch(3))) == ["done"] * 3
        assert len(boxes.started) == 3 and all(len(player.seen) == 1 for player in boxes.started)
    assert all(player.closed for player in boxes.started) and playing.usage() == BoxUsage(3.0, 1.5, 101, 6.0)
    assert playing.logs().text == "said\n" * 3


def test_what_calls_cost_is_counted_over_the_run_by_each_box():
    playing, boxes = stage(Player(), Player())
    for player, paid in zip(boxes.waiting + boxes.started, (7.0, 4.0), strict=True):
        player.usage = lambda paid=paid: BoxUsage(1.0, 0.5, 100, 0.0, paid)
    with playing:
        playing.predict(batch(2))
    assert playing.usage().paid == 7.0


def test_the_next_box_starts_only_if_another_episode_follows():
    playing, boxes = stage()
    playing.predict(batch(), following=lambda: batch(first=1))
    assert len(boxes.started) == 2 or playing._next is not None
    playing.predict(batch(first=1), following=lambda: None)
    playing.close()
    assert len(boxes.started) == 2


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        (EndReason.BATCH_TIMEOUT, "seconds"),
        (EndReason.APPLICATION_ERROR, "application_error"),
        (EndReason.OVERSIZED_ANSWER, "oversized_answer"),
        (EndReason.MEMORY_LIMIT, "memory_limit"),
    ],
)
def test_an_application_that_breaks_off_ends_its_episode_and_the_next_begins(reason, end):
    playing, _ = stage(Player('[{"tool": "look"}]', reason), Player())
    with playing:
        assert ends(playing.predict(batch(2))) == [end, "done"]


def test_a_box_that_does_not_start_is_the_end_of_that_episode_and_the_first_of_the_run():
    playing, _ = stage(Player(), EndReason.LOAD_FAILED, Player())
    with playing:
        assert ends(playing.predict(batch(3))) == ["done", "load_failed", "done"]
    boxes, place = Boxes(EndReason.LOAD_FAILED), World()
    with pytest.raises(BoxEnded):
        EpisodeStage(boxes, place, BoxSettings())
    assert place.closed


def test_no_message_may_take_longer_than_the_episode():
    assert player_settings(BoxSettings(), 20.0).limits.batch_seconds == 20
    assert player_settings(BoxSettings(), 1e6).limits.batch_seconds == BoxSettings().limits.batch_seconds


def test_a_stop_ends_the_episode_under_way_and_nothing_is_done_afterwards():
    player = Player()
    playing, _ = stage(player)

    def stopped(observation):
        playing.cancel()
        return Player.predict(player, observation)

    player.predict = stopped
    with pytest.raises(BoxEnded) as ended:
        playing.predict(batch())
    assert ended.value.reason is EndReason.CANCELLED and not playing.running
    with pytest.raises(BoxEnded):
        playing.predict(batch())
    playing.close()
