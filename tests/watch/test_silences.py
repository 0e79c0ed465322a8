"""Warnings are acknowledged once; a silence mutes what it names, for its time, and nothing else."""

from datetime import timedelta

import pytest

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.watch.running import run
from pilotbase.watch.warnings import (
    LONGEST_SILENCE,
    acknowledge,
    acknowledgements,
    end_silence,
    is_muted,
    silence,
    silences,
    standing_warnings,
)
from pilotbase.workspace.failures import ConflictError, NotFoundError
from tests.watch.services_for_tests import ACME, OTHER, PLANT
from tests.watch.worlds_for_tests import World

HOUR = timedelta(hours=1)


@pytest.fixture
def silent(store, tmp_path, clock):
    """A service of which silence was warned."""
    world = World(store, tmp_path)
    world.arm(silence_seconds=60)
    clock.step(61)
    run(world.view, "milling")
    ((world.digest, world.warning),) = standing_warnings(world.view, "milling").items()
    return world


def test_a_warning_is_acknowledged_once_by_who_may(silent, store):
    for who, refusal in ((OTHER, NotFoundError), (ACME, RefusedError)):
        with pytest.raises(refusal):
            acknowledge(store.as_actor(who), silent.digest)
    acknowledge(store.as_actor(PLANT), silent.digest, "line stands still")
    with pytest.raises(ConflictError):
        acknowledge(silent.view, silent.digest)
    (known,) = acknowledgements(silent.view, [silent.digest]).values()
    assert (known.person, known.note) == ("ada", "line stands still")


def test_a_silence_mutes_what_it_names_until_it_ends(silent, clock):
    silence(silent.view, "milling", "rebuilt", clock.now + HOUR, detector="drift:x")
    assert not is_muted(silent.view, silent.warning)
    silence(silent.view, "milling", "rebuilt", clock.now + HOUR, detector="silence")
    assert is_muted(silent.view, silent.warning)
    assert standing_warnings(silent.view, "milling"), "the warning stands"
    clock.now += HOUR
    assert not is_muted(silent.view, silent.warning)
    silence(silent.view, "milling", "rebuilt", clock.now + HOUR)
    assert is_muted(silent.view, silent.warning)
    clock.step(1)
    end_silence(silent.view, "milling")
    assert silences(silent.view, "milling") == []


def test_a_silence_has_a_reason_an_end_and_an_operator(silent, store, clock):
    for reason, until in ((" ", clock.now + HOUR), ("r", clock.now), ("r", clock.now + LONGEST_SILENCE + HOUR)):
        with pytest.raises(InputError):
            silence(silent.view, "milling", reason, until)
    with pytest.raises(RefusedError):
        silence(store.as_actor(PLANT), "milling", "r", clock.now + HOUR)
    with pytest.raises(NotFoundError):
        silence(store.as_actor(OTHER), "milling", "r", clock.now + HOUR)
