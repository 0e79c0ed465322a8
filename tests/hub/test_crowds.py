"""Many at once: they wait for their turn, the databases are asked for no more connections than they have."""

import threading
import time
from contextlib import ExitStack

import pytest

from pilotbase.workspace.engine import CONNECTIONS, Database
from pilotbase.workspace.failures import BusyError
from tests.hub.worlds_for_tests import PASSWORD


def test_a_crowd_is_answered_some_at_a_time(one_world):
    from pilotbase.hub.serving.middleware import AT_ONCE, take_turns

    lock, now, most, answered = threading.Lock(), [0], [0], []

    def work(request):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        return request

    handler = take_turns(work)
    crowd = [threading.Thread(target=lambda n=n: answered.append(handler(n))) for n in range(AT_ONCE * 3)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert sorted(answered) == list(range(AT_ONCE * 3))
    assert most[0] <= AT_ONCE


def test_a_turn_is_given_back_when_the_work_fails(one_world):
    from pilotbase.hub.serving.middleware import AT_ONCE, take_turns

    def fail(request):
        raise ValueError(request)

    handler = take_turns(fail)
    for number in range(AT_ONCE + 1):
        with pytest.raises(ValueError, match=str(number)):
            handler(number)


def test_a_store_without_a_free_connection_is_busy_not_broken(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    database._engine.pool._timeout = 0.05
    with ExitStack() as held:
        for _ in range(CONNECTIONS):
            held.enter_context(database.read())
        with pytest.raises(BusyError), database.read():
            pass
    with database.read():
        pass
    database.close()


def test_an_office_behind_one_address_comes_in_though_colleagues_mistype(one_world):
    from django.core.cache import cache

    cache.clear()

    def log_in(email, password):
        browser = one_world.client(REMOTE_ADDR="192.0.2.9")
        return browser.post("/account/login/", {"login": email, "password": password})

    for number in range(20):
        assert log_in(f"colleague-{number}@example.org", "mistyped").status_code == 200
    assert log_in("owner@example.org", PASSWORD).status_code == 302
    for number in range(20, 40):
        log_in(f"colleague-{number}@example.org", "mistyped")
    assert log_in("planner@example.org", PASSWORD).status_code != 302, "nobody tries addresses without end"
    cache.clear()
