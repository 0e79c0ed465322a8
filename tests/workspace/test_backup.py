"""Backups: of one moment, from and into either database, into empty places only; altered ones are told."""

import base64
import json
import random
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import canonical_json, digest_bytes, hex_of
from pilotbase.documents.subjects import Organisation
from pilotbase.workspace import schema
from pilotbase.workspace.actors import PUBLIC, Role, actor
from pilotbase.workspace.backup.restoring import Destination, opened_backup, restore_store, restored_home
from pilotbase.workspace.backup.writing import SIGNED_AS, write_backup
from pilotbase.workspace.blobs.objects import name_of
from pilotbase.workspace.blobs.store import CUT, KEPT, BlobStore
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.engine import Database
from pilotbase.workspace.home import Home, HomeSettings, init_home, open_home, upgrade_home
from pilotbase.workspace.jobs import live_jobs
from pilotbase.workspace.listings import Query, list_page
from pilotbase.workspace.log.notes import LogKey
from pilotbase.workspace.store import Store
from tests.catalogue.records_for_tests import MACHINE, SCENARIO, Trial
from tests.workspace.stores_for_tests import Clock

LARGE = random.Random(1).randbytes(3 << 20)
"""Of several chunks."""
DESK = actor("base", Role.OPERATOR)


def organisation(name: str) -> Organisation:
    return Organisation(name=name, title=f"{name} 基地", roles=())


def fill(home: Home) -> None:
    store = home.open_store()
    view = store.as_actor(DESK)
    for name in ("plant", "acme"):
        with view.transaction("stored") as change:
            change.set_head(f"name:{name}", change.put(organisation(name), PUBLIC, fields={"n": name}), expected=None)
            change.add("trials", 2)
            change.post(f"pay-{name}", {"a": -1, "b": 1})
            change.record("noted", payload=b"\x00secret\xff")
    store.close()
    home.open_blobs().put(b"sealed rows")
    home.open_blobs().keep(LARGE)
    home.open_blobs().keep(LARGE[1000:])
    home.open_blobs().keep(b"a sample")
    home.keys.create_owner_key("plant")
    for name, content in {"applications/ab/app.py": b"print()", "tmp/x": b"x", "mail/1.eml": b"link"}.items():
        (home.path / name).parent.mkdir(parents=True, exist_ok=True)
        (home.path / name).write_bytes(content)
    (home.path / "applications/ab/app.py").chmod(0o444)
    (home.path / "applications/ab/.streamlit").mkdir()
    (home.path / "applications/ab/.streamlit/a\\b 配置").write_bytes(b"covered by its digest")
    (home.path / "applications/.cd.17").mkdir()
    (home.path / "applications/.cd.17/app.py").write_bytes(b"draft")
    (home.path / "applications/link").symlink_to("/etc/passwd")


def restore(file: Path, to: Path, settings: HomeSettings = HomeSettings(), keys: Path | None = None) -> Home:  # noqa: B008
    with opened_backup(file) as backup:
        backup.verify()
        with restored_home(backup, Destination(to, settings, keys)) as draft:
            restore_store(backup, draft)
    return open_home(to)


@pytest.fixture(scope="module")
def full_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = init_home(tmp_path_factory.mktemp("full") / "home")
    fill(home)
    return home


@pytest.fixture(scope="module")
def backup_file(full_home: Home) -> Path:
    file = full_home.path.parent / "base.backup"
    write_backup(full_home, file)
    return file


@pytest.fixture
def empty_postgres(postgres: Callable[[], str]) -> str:
    url = postgres()
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    database.close()
    return url


def require_same(store: Store) -> None:
    view = store.as_actor(DESK)
    assert {one.load(Organisation).title for one in view.find("organisation")} == {"plant 基地", "acme 基地"}
    assert view.head("name:plant") == organisation("plant").digest()
    assert (view.counter("trials"), view.balance("b")) == (4, 2)
    assert view.log_payload(1) == b"\x00secret\xff"
    size = verify_store(store).size
    view.put(organisation("new"), PUBLIC, "stored")  # numbers go on where they were
    assert verify_store(store).size == size + 1
    assert len(view.changes()) == 5 + size - 4


def test_a_base_comes_back_without_its_keys_and_with_them_goes_on(full_home, backup_file, tmp_path):
    home = restore(backup_file, tmp_path / "home")
    assert home.keys.missing() == ("log.pem", "owners/plant.key")
    with pytest.raises(PilotbaseError) as caught:
        home.open_store()
    assert caught.value.code == "workspace.key_missing"
    with pytest.raises(RefusedError) as caught:
        home.keys.create_owner_key("plant")
    assert caught.value.code == "workspace.key_awaited"
    home.keys.create_owner_key("port")
    shutil.copytree(full_home.keys.path, home.keys.path, dirs_exist_ok=True)
    assert home.keys.missing() == ()
    assert home.keys.create_owner_key("plant") == full_home.keys.owner_key("plant")
    store = home.open_store()
    require_same(store)
    store.close()
    blobs = home.open_blobs()
    assert blobs.get(digest_bytes(b"sealed rows")) == b"sealed rows"
    for kept in (LARGE, LARGE[1000:], b"a sample"):
        assert blobs.get(digest_bytes(kept)) == kept
    assert {entry.name for entry in blobs.objects.entries("kept")} == {
        entry.name for entry in full_home.open_blobs().objects.entries("kept")
    }
    blobs.remove(digest_bytes(b"a sample"))
    assert blobs.exists(digest_bytes(b"a sample"))


def test_files_come_back_with_their_modes_and_nothing_secret_was_in_the_backup(full_home, backup_file, tmp_path):
    assert stat.S_IMODE(backup_file.stat().st_mode) == 0o600
    home = restore(backup_file, tmp_path / "home")
    program = home.path / "applications/ab/app.py"
    assert (program.read_bytes(), stat.S_IMODE(program.stat().st_mode)) == (b"print()", 0o444)
    assert stat.S_IMODE(program.parent.stat().st_mode) == 0o755
    assert stat.S_IMODE((home.path / "applications").stat().st_mode) == 0o700
    assert (program.parent / ".streamlit" / "a\\b 配置").read_bytes() == b"covered by its digest"
    assert not (home.path / "applications" / ".cd.17").exists()
    assert not (home.path / "mail").exists() and not (home.path / "applications/link").exists()
    with zipfile.ZipFile(backup_file) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    for name in full_home.keys.names():
        secret = full_home.keys.read(name)
        assert secret not in everything and base64.b64encode(secret) not in everything


def test_keys_at_hand_are_taken_and_those_of_another_base_refused(full_home, backup_file, tmp_path):
    other = init_home(tmp_path / "other")
    with pytest.raises(RefusedError) as caught:
        restore(backup_file, tmp_path / "home", keys=other.keys.path)
    assert caught.value.code == "backup.other_keys"
    assert not (tmp_path / "home").exists()
    home = restore(backup_file, tmp_path / "home", keys=full_home.keys.path)
    assert home.keys.missing() == ()
    home.open_store().close()


@pytest.mark.prove
def test_sqlite_to_postgresql_and_back(full_home, backup_file, empty_postgres, tmp_path):
    keys = full_home.keys.path
    there = restore(backup_file, tmp_path / "there", HomeSettings(store_url=empty_postgres), keys)
    store = there.open_store()
    require_same(store)
    store.close()
    write_backup(there, tmp_path / "again.backup")
    back = restore(tmp_path / "again.backup", tmp_path / "back", keys=keys)
    store = back.open_store()
    assert len(store.as_actor(DESK).find("organisation")) == 3
    verify_store(store)
    store.close()
    with pytest.raises(InputError) as caught:
        restore(backup_file, tmp_path / "twice", HomeSettings(store_url=empty_postgres), keys)
    assert caught.value.code == "backup.database_not_empty"
    assert not (tmp_path / "twice").exists()


@pytest.mark.parametrize("there", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
def test_records_come_back_with_lists_search_and_jobs(there, request, tmp_path):
    home = init_home(tmp_path / "home")
    store = home.open_store(Clock())
    trial = Trial(store)
    trial.reach("queued")
    store.close()
    write_backup(home, tmp_path / "b")
    url = request.getfixturevalue("empty_postgres") if there == "postgresql" else None
    restored = restore(tmp_path / "b", tmp_path / "new", HomeSettings(store_url=url), home.keys.path)
    trial.store = restored.open_store(Clock())
    view = trial.store.as_actor(MACHINE)
    assert [one.subject for one in list_page(view, Query("scenario", words="铣床")).items] == [SCENARIO]
    assert [(job.kind, job.person) for job in live_jobs(view)] == [("freeze", "p-planner"), ("trial", "p-planner")]
    for step in ("start", "finish", "accept", "sign", "issue"):
        getattr(trial, step)()
    assert trial.record().state == "certified"
    verify_store(trial.store)
    trial.store.close()


@pytest.mark.prove
def test_a_backup_amid_writing_is_of_one_moment(tmp_path):
    home, stop = init_home(tmp_path / "home"), threading.Event()

    def write() -> None:
        store = home.open_store()
        for number in range(10_000):
            if stop.is_set():
                break
            with store.as_actor(DESK).transaction("stored") as change:
                change.set_head("newest", change.put(organisation(f"o{number}"), PUBLIC), expected=store_head(store))
                change.add("trials", 1)
        store.close()

    def store_head(store: Store) -> str | None:
        return store.as_actor(DESK).head("newest")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            write_backup(home, tmp_path / f"{number}.backup")
    finally:
        stop.set()
        writer.join()
    for number in range(3):
        restore(tmp_path / f"{number}.backup", tmp_path / f"home-{number}")


@pytest.mark.prove
def test_a_backup_from_before_a_plug_in_comes_back_without_it_and_is_upgraded(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "_chains", lambda: ())
    home = init_home(tmp_path / "home")
    fill(home)
    write_backup(home, tmp_path / "old.backup")
    restored = restore(tmp_path / "old.backup", tmp_path / "new", keys=home.keys.path)
    monkeypatch.undo()
    upgrade_home(restored)
    store = restored.open_store()
    require_same(store)
    store.close()


def test_no_file_is_overwritten_and_none_is_written_into_the_home(full_home, tmp_path):
    (tmp_path / "there").write_text("mine")
    for target, code in ((tmp_path / "there", "backup.exists"), (full_home.path / "b", "backup.inside")):
        with pytest.raises(InputError) as caught:
            write_backup(full_home, target)
        assert caught.value.code == code
    assert (tmp_path / "there").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


def test_a_file_whose_name_no_backup_can_hold_is_told(tmp_path):
    home = init_home(tmp_path / "home")
    (home.path / "notes").mkdir()
    (home.path / "notes" / "a\nb").write_text("x")
    with pytest.raises(InputError) as caught:
        write_backup(home, tmp_path / "b")
    assert caught.value.code == "backup.odd_name"
    assert not (tmp_path / "b").exists()


def test_a_full_disk_leaves_no_half_backup(full_home, tmp_path):
    from tests.workspace.test_home import file_size_limit

    with file_size_limit(4096), pytest.raises(PilotbaseError) as caught:
        write_backup(full_home, tmp_path / "b")
    assert caught.value.code == "workspace.disk_full"
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_blob_is_not_backed_up_as_if_it_were_whole(tmp_path):
    home = init_home(tmp_path / "home")
    home.open_blobs().put(b"sealed rows")
    (blob,) = [path for path in (home.path / "blobs" / "sha256").rglob("*") if path.is_file()]
    blob.write_bytes(b"other bytes")
    with pytest.raises(InvalidProofError) as caught:
        write_backup(home, tmp_path / "b")
    assert caught.value.code == "workspace.blob_damaged"
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_only_an_empty_place_is_restored_into(backup_file, tmp_path, what):
    place = tmp_path / "home"
    if what == "folder":
        place.mkdir()
        (place / "thesis.txt").write_text("mine")
    elif what == "link":
        place.symlink_to(tmp_path / "nowhere")
    else:
        place.write_text("mine")
    with pytest.raises(InputError) as caught:
        restore(backup_file, place)
    assert caught.value.code == "backup.home_not_empty"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def require_refused(file: Path, place: Path) -> PilotbaseError:
    with pytest.raises(PilotbaseError) as caught:
        restore(file, place)
    assert not place.exists() and not list(place.parent.glob(f".{place.name}*"))
    assert caught.value.render("zh") != caught.value.render("en")
    return caught.value


def test_a_truncated_backup_is_told(backup_file, tmp_path):
    whole, cut = backup_file.read_bytes(), tmp_path / "cut"
    for share in (0, 1, 0.2, 0.9):
        cut.write_bytes(whole[: int(len(whole) * share) if share < 1 else len(whole) - 1])
        assert require_refused(cut, tmp_path / "home").code == "backup.unreadable"


def test_each_altered_byte_is_told(backup_file, tmp_path):
    whole, draw, altered = backup_file.read_bytes(), random.Random(1), tmp_path / "altered"
    for _ in range(16):
        place = draw.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[place] ^= 1 << draw.randrange(8)
        altered.write_bytes(flipped)
        try:
            restore(altered, tmp_path / "home")
        except PilotbaseError:
            assert not (tmp_path / "home").exists()
        else:  # a field of the ZIP format that says nothing about content, such as a date
            shutil.rmtree(tmp_path / "home")


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + b"\0" * 18, b"\x1f\x8b" + b"x" * 100, b"SQLite format 3\0"])
def test_what_is_no_backup_is_told(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    assert require_refused(tmp_path / "f", tmp_path / "home").code == "backup.unreadable"


def forge(source: Path, target: Path, change: Callable[[dict, dict[str, bytes]], None]) -> Path:
    """Write a backup whose maker has changed what it holds and signed it with a key of their own."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    members.pop("manifest.sig")
    change(manifest, members)
    key = LogKey(Ed25519PrivateKey.generate())
    manifest["log"] = str(key.verifier)
    content = canonical_json(manifest)
    members |= {"manifest.json": content, "manifest.sig": base64.b64encode(key.private.sign(SIGNED_AS + content))}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def named(manifest: dict, members: dict[str, bytes], name: str, data: bytes) -> None:
    members[name] = data
    manifest["members"][name] = {"digest": digest_bytes(data), "size": len(data)}


def test_a_blob_that_is_collected_while_it_is_packed_is_left_out(full_home, tmp_path, monkeypatch):
    """Its list of chunks was packed already when list and chunks went."""
    home = open_home(shutil.copytree(full_home.path, tmp_path / "copy"))
    lost, listed = home.open_blobs().keep(LARGE[::-1]), BlobStore.digests

    def collected(blobs: BlobStore, room: str):
        if room == KEPT and blobs.exists(lost):
            chunk, _ = blobs.manifest(lost).chunks[-1]
            blobs.objects.remove(name_of(CUT, lost))
            blobs.objects.remove(name_of(KEPT, chunk))
        return listed(blobs, room)

    monkeypatch.setattr(BlobStore, "digests", collected)
    manifest = write_backup(home, tmp_path / "new.backup")
    assert f"cut/{hex_of(lost)}" in manifest.members
    blobs = restore(tmp_path / "new.backup", tmp_path / "home").open_blobs()
    assert not blobs.exists(lost)
    assert blobs.get(digest_bytes(LARGE)) == LARGE


def test_a_blob_that_lacks_a_chunk_is_told_when_the_backup_is_made(full_home, tmp_path):
    copy = shutil.copytree(full_home.path, tmp_path / "copy")
    blobs = open_home(copy).open_blobs()
    chunk, _ = blobs.manifest(digest_bytes(LARGE)).chunks[0]
    blobs.objects.remove(name_of(KEPT, chunk))
    with pytest.raises(InvalidProofError) as caught:
        write_backup(open_home(copy), tmp_path / "new.backup")
    assert caught.value.code == "blobs.no_chunk"
    assert chunk in str(caught.value)
    assert not (tmp_path / "new.backup").exists()


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "name",
    [
        "home/../../evil",
        "home//evil",
        "home/a/../evil",
        "home/keys/log.pem",
        "home/home.json",
        "home/tmp/x",
        "home/.hidden",
        "home/applications/.draft/evil",
        "home/hub.db-wal",
        "home/a\nb",
        "home/",
        "/etc/evil",
        "../evil",
        "store/alembic_version.jsonl",
        "blobs/../evil",
        "kept/../evil",
        "cut/" + "0" * 63,
        "hub.db",
    ],
)
def test_no_member_gets_out_of_its_place(backup_file, tmp_path, name):
    forged = forge(backup_file, tmp_path / "f", lambda manifest, members: named(manifest, members, name, b"evil"))
    assert require_refused(forged, tmp_path / "deep" / "home").code in ("backup.strange_name", "backup.altered")
    assert not list(tmp_path.rglob("evil"))


def test_a_member_that_is_longer_than_its_manifest_says_is_not_unpacked(backup_file, tmp_path):
    def lie(manifest: dict, members: dict[str, bytes]) -> None:
        named(manifest, members, "home/bomb", b"\0" * 50_000_000)
        manifest["members"]["home/bomb"]["size"] = 10

    assert require_refused(forge(backup_file, tmp_path / "f", lie), tmp_path / "home").code == "backup.altered"


def test_more_than_the_disk_holds_is_refused_before_a_byte_is_written(backup_file, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert require_refused(backup_file, tmp_path / "home").code == "backup.no_space"


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda manifest, members: manifest.update(document="backup/2", more=1), "backup.newer"),
        (lambda manifest, members: manifest.update(version="9999"), "backup.newer"),
        (lambda manifest, members: manifest.update(version="0024"), "workspace.schema_unreleased"),
        (lambda manifest, members: manifest.update(document="report/1"), "backup.unreadable"),
        (lambda manifest, members: members.pop("store/heads.jsonl"), "backup.altered"),
        (lambda manifest, members: manifest["members"].pop("store/heads.jsonl"), "backup.altered"),
        (lambda manifest, members: members.update({"store/heads.jsonl": b"[]"}), "backup.altered"),
        (lambda manifest, members: named(manifest, members, "store/heads.jsonl", b"{"), "backup.not_rows"),
        (lambda manifest, members: named(manifest, members, "store/heads.jsonl", b'["x"]\n[1]\n'), "backup.not_rows"),
        (lambda manifest, members: named(manifest, members, "blobs/" + "0" * 64, b"x"), "backup.altered"),
        (lambda manifest, members: named(manifest, members, "kept/" + "0" * 64, b"x"), "backup.altered"),
        (lambda manifest, members: named(manifest, members, "cut/" + "0" * 64, b"x"), "backup.altered"),
    ],
)
def test_what_its_maker_has_changed_is_told(backup_file, tmp_path, change, code):
    def run(manifest: dict, members: dict[str, bytes]) -> None:
        change(manifest, members)

    assert require_refused(forge(backup_file, tmp_path / "f", run), tmp_path / "home").code == code


def test_a_store_that_does_not_agree_with_its_log_is_not_restored(backup_file, tmp_path):
    def add_row(manifest: dict, members: dict[str, bytes]) -> None:
        rows = members["store/counters.jsonl"].splitlines()
        named(manifest, members, "store/counters.jsonl", rows[0] + b'\n["trials",400]\n')

    assert require_refused(forge(backup_file, tmp_path / "f", add_row), tmp_path / "home").exit_code == 3


def test_signed_by_nobody_it_is_refused(backup_file, tmp_path):
    with zipfile.ZipFile(backup_file) as archive, zipfile.ZipFile(tmp_path / "f", "w") as unsigned:
        for name in archive.namelist():
            unsigned.writestr(name, b"AAAA" if name == "manifest.sig" else archive.read(name))
    assert require_refused(tmp_path / "f", tmp_path / "home").code == "backup.altered"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
