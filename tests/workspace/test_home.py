"""The home: private, complete after any crash, and clear about what is wrong with it."""

import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.workspace import home as home_module
from pilotbase.workspace.actors import PUBLIC, Role, actor
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.home import HomeSettings, home_path, init_home, open_home, settings_for
from pilotbase.workspace.log.offline import verify_log

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")


class Note(Document):
    document: str = "note/1"
    title: str


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def acting_as_nobody() -> Iterator[None]:
    if os.geteuid() == 0:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield


def test_the_variable_names_the_home_else_it_is_in_the_users_folder(tmp_path: Path) -> None:
    assert home_path({"PILOTBASE_HOME": str(tmp_path / "h")}) == tmp_path / "h"
    assert home_path({}) == Path.home() / ".pilotbase"
    assert home_path({"PILOTBASE_HOME": "~/x"}) == Path.home() / "x"
    assert home_path({"PILOTBASE_HOME": "x"}).is_absolute()


def test_a_folder_for_blobs_is_the_same_wherever_a_command_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    home = init_home(tmp_path / "home", settings_for(None, "blobs"))
    digest = home.open_blobs().put(b"x")
    monkeypatch.chdir(tmp_path)
    assert open_home(tmp_path / "home").open_blobs().get(digest) == b"x"


def test_everything_in_a_home_is_private(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        home = init_home(tmp_path / "home")
        store = home.open_store()
        store.as_actor(actor("base", Role.OPERATOR)).put(Note(title="x"), PUBLIC, "note.stored")
        home.open_blobs().put(b"x")
        home.keys.create_owner_key("plant")
        files = [path for path in home.path.rglob("*") if path.is_file()]
        assert {path.name for path in files} >= {
            "pilotbase.db",
            "pilotbase.db-wal",
            "log.pem",
            "plant.key",
            "home.json",
        }
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        private = (home.path, home.keys.path, home.keys.path / "owners", home.scratch)
        assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o700}
        store.close()
    finally:
        os.umask(umask)


def test_init_again_keeps_store_and_keys(tmp_path: Path) -> None:
    first = init_home(tmp_path / "home")
    store = first.open_store()
    digest = store.as_actor(actor("base", Role.OPERATOR)).put(Note(title="x"), PUBLIC, "note.stored")
    again = init_home(tmp_path / "home").open_store()
    assert again.key.verifier == store.key.verifier
    assert again.as_actor(actor("acme", Role.SUPPLIER)).load(digest, Note).title == "x"


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError) as caught:
        init_home(tmp_path)
    assert "thesis.txt" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_there_is_no_home_where_none_was_made(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_home(tmp_path / "home")
    assert "pilotbase init" in caught.value.render()
    assert not (tmp_path / "home").exists()


@as_root
def test_a_home_that_another_user_owns_is_refused(tmp_path: Path) -> None:
    init_home(tmp_path / "home")
    os.chown(tmp_path / "home", 12345, -1)
    for act in (init_home, open_home):
        with pytest.raises(RefusedError) as caught:
            act(tmp_path / "home")
        assert caught.value.text.params["owner"] == 12345


@pytest.mark.parametrize("exposed", [".", "keys"])
def test_a_home_that_others_can_read_is_refused(tmp_path: Path, exposed: str) -> None:
    home = init_home(tmp_path / "home")
    (home.path / exposed).chmod(0o750)
    with pytest.raises(RefusedError) as caught:
        open_home(home.path)
    assert "0750" in str(caught.value)


def test_an_exposed_key_is_not_used(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home")
    (home.keys.path / "log.pem").chmod(0o644)
    with pytest.raises(RefusedError):
        home.open_store()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"document":"home/1","colour":"red"}', b"\xff"])
def test_an_unreadable_home_says_so(tmp_path: Path, content: bytes) -> None:
    home = init_home(tmp_path / "home")
    (home.path / "home.json").write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_home(home.path)
    assert "home.json" in str(caught.value)


def test_a_home_may_keep_store_and_blobs_elsewhere(tmp_path: Path) -> None:
    elsewhere = HomeSettings(store_url=f"sqlite:///{tmp_path / 'other.db'}", blobs_url=str(tmp_path / "bucket"))
    init_home(tmp_path / "home", elsewhere)
    home = open_home(tmp_path / "home")
    home.open_store().close()
    home.open_blobs().put(b"x")
    assert (tmp_path / "other.db").exists()
    assert any((tmp_path / "bucket").rglob("*"))
    assert not (home.path / "pilotbase.db").exists()


def test_where_nothing_may_be_written_the_message_says_so(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with acting_as_nobody(), pytest.raises(PilotbaseError) as caught:
        init_home(locked / "home")
    assert caught.value.code == "workspace.not_writable"


def test_keys_are_one_per_owner_and_never_made_by_reading(tmp_path: Path) -> None:
    keys = init_home(tmp_path / "home").keys
    with pytest.raises(NotFoundError):
        keys.owner_key("plant")
    made = keys.create_owner_key("plant")
    assert len(made) == 32
    assert keys.owner_key("plant") == keys.create_owner_key("plant") == made
    assert keys.create_owner_key("port") != made
    with pytest.raises(ValueError, match="key file"):
        keys.create_owner_key("../../plant")
    (keys.path / "owners" / "plant.key").write_bytes(made[:-1])
    with pytest.raises(InvalidProofError):
        keys.owner_key("plant")


def test_a_lost_log_key_is_not_replaced_behind_the_users_back(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home")
    (home.keys.path / "log.pem").unlink()
    for opened in (home, open_home(home.path), init_home(home.path)):
        with pytest.raises(NotFoundError):
            opened.open_store()


def test_a_full_disk_at_init_leaves_nothing_that_the_next_init_cannot_complete(tmp_path: Path) -> None:
    for size in (0, 100, 20_000, 40_000, 60_000):
        with file_size_limit(size), pytest.raises(PilotbaseError) as caught:
            init_home(tmp_path / "home")
        assert caught.value.code == "workspace.disk_full", size
        assert not list((tmp_path / "home").glob(".*"))
    init_home(tmp_path / "home").open_store().close()


@pytest.mark.parametrize("existed", [False, True])
def test_what_fails_leaves_nothing_where_nothing_was(tmp_path: Path, existed: bool) -> None:
    home, nowhere = tmp_path / "home", HomeSettings(store_url="postgresql://pilot@127.0.0.1:1/none")
    if existed:
        home.mkdir()
    with pytest.raises(PilotbaseError):
        init_home(home, nowhere)
    assert home.exists() == existed and not list(tmp_path.glob("home/*"))
    init_home(home).open_store().close()


def fill_until_full(home: home_module.Home) -> list[str]:
    store = home.open_store()
    view, stored = store.as_actor(actor("base", Role.OPERATOR)), []
    with pytest.raises(PilotbaseError) as caught:
        for number in range(1000):
            stored.append(view.put(Note(title=f"{number}" * 1000), PUBLIC, "note.stored"))
    assert caught.value.code == "workspace.disk_full"
    assert "The disk is full" in str(caught.value)
    return stored


def require_intact(home: home_module.Home, stored: list[str]) -> None:
    store = home.open_store()
    view = store.as_actor(actor("base", Role.OPERATOR))
    assert {found.digest for found in view.find("note", limit=2000)} == set(stored)
    assert verify_log(store.log_copy(), store.key.verifier).size == len(stored)
    view.put(Note(title="after"), PUBLIC, "note.stored")
    store.close()


def test_a_full_disk_loses_nothing_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home")
    with file_size_limit(600_000):
        stored = fill_until_full(home)
        with pytest.raises(PilotbaseError) as caught:
            home.open_blobs().put(b"x" * 700_000)
    assert caught.value.code == "workspace.disk_full"
    assert [path.name for path in (home.path / "blobs").rglob("*") if path.is_file()] == ["base"]
    require_intact(home, stored)


def test_a_full_file_system_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a tiny file system; RLIMIT_FSIZE stands in for it above")
    try:
        home = init_home(disk / "home")
        stored = fill_until_full(home)
        with pytest.raises(PilotbaseError) as caught:
            home.open_blobs().put(b"x" * 4_000_000)
        assert caught.value.code == "workspace.disk_full"
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        require_intact(home, stored)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
        shutil.rmtree(disk)


RACER = """
import sys
from pathlib import Path
from pilotbase.workspace.home import init_home
home = init_home(Path(sys.argv[1]))
print(home.open_store().key.verifier, home.keys.create_owner_key("plant").hex())
"""


@pytest.mark.prove
def test_two_inits_at_once_make_one_home(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, str(tmp_path / "home")], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = {racer.communicate(timeout=50)[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert len(answers) == 1
