"""Uploads: what was acknowledged stays, nothing lies about in plain, nobody sees those of others, all of it ends."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import (
    OffsetError,
    UploadTerms,
    append_piece,
    erase_expired,
    erase_upload,
    find_upload,
    finish_upload,
    list_uploads,
    read_upload,
    start_upload,
)
from pilotbase.workspace.actors import Role, actor
from pilotbase.workspace.failures import NotFoundError

DAY = timedelta(days=1)
TERMS = UploadTerms(1000, 1500, DAY)
SECRET = b"column,secret\n" + b"7,broken\n" * 50
GRANT = ReaderGrant.of_owner("plant")


def of(vault, organisation="plant"):
    return replace(vault, view=vault.view.as_actor(actor(organisation, Role.DEMAND_OWNER, person="p1")))


def begun(vault, content=SECRET):
    return start_upload(vault, "cases.csv", len(content), digest_bytes(content), TERMS)


def handed_in(vault, content=SECRET):
    upload = begun(vault, content)
    for start in range(0, len(content), 100):
        append_piece(vault, upload.identity, start, content[start : start + 100], DAY)
    return finish_upload(vault, upload.identity)


def files(vault):
    return [path for path in Path(vault.blobs.objects.root).rglob("*") if path.is_file()]


def test_what_comes_in_pieces_is_whole_and_never_plain(any_vault):
    plant = of(any_vault)
    upload = handed_in(plant)
    assert b"".join(read_upload(plant, upload.identity, GRANT)) == SECRET
    assert files(plant) and not any(
        b"secret" in path.read_bytes() or b"broken" in path.read_bytes() for path in files(plant)
    )
    erase_upload(plant, upload.identity)
    assert files(plant) == [] and list_uploads(plant) == []
    with pytest.raises(NotFoundError):
        erase_upload(plant, upload.identity)
    erased = [entry for entry in any_vault.view.log_entries() if entry.action == "upload.erased"]
    assert [(*entry.subjects,) for entry in erased] == [(f"upload:{upload.identity}",)], "erasing is told once"


def test_a_piece_that_comes_twice_or_early_is_told_where_to_go_on(any_vault):
    plant = of(any_vault)
    upload = begun(plant)
    append_piece(plant, upload.identity, 0, SECRET[:100], DAY)
    for start in (0, 50, 101):
        with pytest.raises(OffsetError) as told:
            append_piece(plant, upload.identity, start, SECRET[:10], DAY)
        assert told.value.offset == 100
    assert len(files(plant)) == 1, "what was refused leaves nothing behind"
    for piece in (b"", b"x" * len(SECRET)):
        with pytest.raises(InputError):
            append_piece(plant, upload.identity, 100, piece, DAY)
    with pytest.raises(InputError) as missing:
        finish_upload(plant, upload.identity)
    assert missing.value.code == "vault.upload_incomplete"


def test_other_bytes_than_announced_are_not_kept(vault):
    plant = of(vault)
    upload = begun(plant)
    append_piece(plant, upload.identity, 0, SECRET.replace(b"7", b"8"), DAY)
    with pytest.raises(InputError) as wrong:
        finish_upload(plant, upload.identity)
    assert wrong.value.code == "vault.upload_digest" and files(plant) == []


def test_uploads_of_others_do_not_exist(any_vault):
    upload = handed_in(of(any_vault))
    for stranger in (of(any_vault, "acme"), any_vault, of(any_vault, "")):
        for act in (find_upload, finish_upload, erase_upload):
            with pytest.raises(NotFoundError):
                act(stranger, upload.identity)
        with pytest.raises(NotFoundError):
            read_upload(stranger, upload.identity, GRANT)
        with pytest.raises(NotFoundError):
            append_piece(stranger, upload.identity, 0, b"x", DAY)
    assert list_uploads(of(any_vault, "acme")) == [] and len(list_uploads(of(any_vault))) == 1


def test_an_organisation_has_so_much_room_and_no_more(any_vault):
    plant = of(any_vault)
    with pytest.raises(InputError):
        start_upload(plant, "x", 1001, digest_bytes(b""), TERMS)
    for _ in range(3):
        start_upload(plant, "x", 500, digest_bytes(b""), TERMS)
    with pytest.raises(RefusedError) as full:
        start_upload(plant, "x", 1, digest_bytes(b""), TERMS)
    assert full.value.code == "vault.upload_quota"
    start_upload(of(any_vault, "acme"), "x", 500, digest_bytes(b""), TERMS)


def test_what_is_left_lying_is_erased_when_its_time_is_over(any_vault):
    plant = of(any_vault)
    upload = begun(plant)
    append_piece(plant, upload.identity, 0, SECRET[:100], DAY)
    later = replace(any_vault.view.store, clock=lambda: upload.expires_at + timedelta(seconds=5))
    afterwards = replace(any_vault, view=later.as_actor(any_vault.view.actor))
    with pytest.raises(NotFoundError):
        find_upload(of(afterwards), upload.identity)
    assert erase_expired(afterwards) == 1 and files(plant) == [] and erase_expired(afterwards) == 0


KILLED = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
sys.path.insert(0, sys.argv[3])
from conftest import vault_at
from test_uploads import DAY, SECRET, append_piece, of
plant = of(vault_at(sys.argv[1], Path(sys.argv[2])))
calls = 0
def die_at(moment):
    global calls
    calls += 1
    if calls == int(sys.argv[5]):
        os.kill(os.getpid(), signal.SIGKILL)
put, transaction = plant.blobs.put, type(plant.view).transaction
plant.blobs.put = lambda data: (die_at("before"), put(data), die_at("after"))[1]
type(plant.view).transaction = lambda self, action: (die_at(action), transaction(self, action))[1]
append_piece(plant, sys.argv[4], 100, SECRET[100:200], DAY)
"""


@pytest.mark.prove
@pytest.mark.parametrize("moment", [3, *(pytest.param(moment, marks=pytest.mark.prove) for moment in (1, 2, 4, 5))])
def test_a_process_killed_at_any_step_loses_nothing_acknowledged(vault, tmp_path, moment):
    plant = of(vault)
    upload = begun(plant)
    append_piece(plant, upload.identity, 0, SECRET[:100], DAY)
    command = [sys.executable, "-c", KILLED, plant.view.store.database.url, str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run([*command, upload.identity, str(moment)], env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    assert done.returncode == (-signal.SIGKILL if moment < 5 else 0)
    offset = find_upload(plant, upload.identity).received
    assert offset == (100 if moment < 5 else 200)
    append_piece(plant, upload.identity, offset, SECRET[offset:], DAY)
    finish_upload(plant, upload.identity)
    assert b"".join(read_upload(plant, upload.identity, GRANT)) == SECRET
    erase_upload(plant, upload.identity)
    assert files(plant) == [], "not even bytes that were written and never acknowledged"
