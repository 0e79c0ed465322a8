"""Killed (SIGKILL) before every single statement in turn, a store is as before or as after, never between."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.workspace.stores_for_tests import POSTGRES_LATER

ROUNDS = """
import itertools, os, signal, sys
from pathlib import Path
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import Engine, event
from pilotbase.documents.subjects import Organisation
from pilotbase.workspace.actors import PUBLIC, Role, actor
from pilotbase.workspace.home import init_home, open_home
from pilotbase.workspace.log.offline import verify_log
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store

def killed_before(step, act):
    child = os.fork()
    if child == 0:
        steps = itertools.count()
        def die(*_):
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)
        event.listen(Engine, "before_cursor_execute", die)
        event.listen(Engine, "commit", die)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status != 0
"""

PUT = (
    ROUNDS
    + """
url, key = sys.argv[1], LogKey(load_pem_private_key(Path(sys.argv[2]).read_bytes(), None))

def opened():
    return Store.open(url, key).as_actor(actor("base", Role.OPERATOR))

def move(view, number):
    with view.transaction("moved") as change:
        change.put(Organisation(name=f"first{number}", title="x", roles=()), PUBLIC, fields={"n": number})
        digest = change.put(Organisation(name=f"second{number}", title="x", roles=()), PUBLIC)
        change.set_head("head", digest, expected=view.head("head"))
        change.add("moves", 1)
        change.post(f"move{number}", {"a": -1, "b": 1})

done = 0
for step in itertools.count():
    died = killed_before(step, lambda: move(opened(), step))
    view = opened()
    moves = view.counter("moves")
    assert moves in (done, done + 1), (moves, done)
    done = moves
    found = view.find("organisation", limit=1000)
    assert len(found) == 2 * moves, (len(found), moves)
    assert (view.balance("a"), view.balance("b")) == (-moves, moves)
    assert verify_log(view.store.log_copy(), key.verifier).size == moves
    assert len(view.changes()) == 3 * moves
    assert view.head("head") in [one.digest for one in found] + [None]
    view.store.close()
    if not died:
        assert moves == done
        break
print(step, done)
"""
)

INIT = (
    ROUNDS
    + """
for step in itertools.count(0, int(sys.argv[2])):
    home = Path(sys.argv[1]) / str(step)
    died = killed_before(step, lambda: init_home(home))
    init_home(home)
    store = open_home(home).open_store()
    view = store.as_actor(actor("base", Role.OPERATOR))
    view.put(Organisation(name="a", title="x", roles=()), PUBLIC, "stored")
    assert verify_log(store.log_copy(), store.key.verifier).size == 1
    store.close()
    if not died:
        break
print(step)
"""
)

UPGRADE = (
    ROUNDS
    + """
import shutil
from pilotbase.workspace import schema
from pilotbase.workspace.home import upgrade_home

old, chains = Path(sys.argv[1]) / "old", schema._chains
schema._chains = lambda: ()  # before there was a plug-in with tables
home = init_home(old)
store = home.open_store()
view = store.as_actor(actor("base", Role.OPERATOR))
view.put(Organisation(name="a", title="x", roles=()), PUBLIC, "stored")
store.close()
schema._chains = chains
for step in itertools.count(0, int(sys.argv[2])):
    path = Path(sys.argv[1]) / str(step)
    shutil.copytree(old, path)
    died = killed_before(step, lambda: upgrade_home(open_home(path)))
    upgrade_home(open_home(path))
    upgrade_home(open_home(path))
    store = open_home(path).open_store()
    view = store.as_actor(actor("base", Role.OPERATOR))
    assert len(view.find("organisation")) == 1
    view.put(Organisation(name="b", title="x", roles=()), PUBLIC, "stored")
    assert verify_log(store.log_copy(), store.key.verifier).size == 2
    store.close()
    shutil.rmtree(path)
    if not died:
        break
print(step)
"""
)


def run(script: str, *arguments: object) -> list[int]:
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=1800
    )  # a bound for what hangs: every statement of every migration takes minutes
    assert ended.returncode == 0, ended.stderr
    return [int(word) for word in ended.stdout.split()]


@POSTGRES_LATER
def test_a_transaction_killed_at_any_statement_happened_wholly_or_not(every_url: str, log_key_file: Path) -> None:
    steps, done = run(PUT, every_url, log_key_file)
    assert steps > 20
    assert done == 1


@pytest.mark.prove
@pytest.mark.parametrize("stride", [23, pytest.param(1, marks=pytest.mark.prove)])
def test_an_init_killed_at_any_statement_is_completed_by_the_next(tmp_path: Path, stride: int) -> None:
    (steps,) = run(INIT, tmp_path, stride)
    assert steps > 20


@pytest.mark.prove
@pytest.mark.parametrize("stride", [23, pytest.param(1, marks=pytest.mark.prove)])
def test_an_upgrade_killed_at_any_statement_is_completed_by_the_next(tmp_path: Path, stride: int) -> None:
    (steps,) = run(UPGRADE, tmp_path, stride)
    assert steps > 20
