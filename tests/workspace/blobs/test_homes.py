"""A base whose blobs are on S3: made, used, checked, collected, backed up and brought back by command."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.workspace.home import open_home
from tests.workspace.blobs.s3_for_tests import BUCKET, S3Server


def told(home: Path, *words: object, code: int = 0) -> str:
    ended = CliRunner(env={"PILOTBASE_HOME": str(home)}).invoke(app, [str(word) for word in words])
    assert ended.exit_code == code, ended.output
    return ended.output


def test_a_base_keeps_its_blobs_on_s3(s3: S3Server, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", uuid.uuid4().hex
    assert "no-such-bucket" in told(tmp_path / "wrong", "init", "--blobs", "s3://no-such-bucket/x", code=1)
    assert not (tmp_path / "wrong").exists()
    told(home, "init", "--blobs", f"s3://{BUCKET}/{folder}")
    blobs = open_home(home).open_blobs()
    digest, own = blobs.keep(bytes(9 << 20)), blobs.put(b"x")
    assert any(path.startswith(f"{BUCKET}/{folder}/cut/") for path in s3.sent)
    assert not any(path.is_file() for path in (home / "blobs").rglob("*"))
    assert "4 of 4 objects" in told(home, "blobs", "verify")
    told(home, "backup", tmp_path / "base.backup")
    told(tmp_path / "back", "restore", tmp_path / "base.backup", "--keys", home / "keys")
    assert open_home(tmp_path / "back").open_blobs().get(digest) == bytes(9 << 20)
    for room in ("cut", "kept", "sha256"):
        for entry in list(blobs.objects.entries(room)):
            s3.age(f"{BUCKET}/{folder}/{entry.name}", timedelta(days=8))
    assert "2 blobs, 2 chunks" in told(home, "blobs", "collect", "--dry-run")
    assert "Removed: 2 blobs, 2 chunks" in told(home, "blobs", "collect")
    assert not blobs.exists(digest)
    assert not blobs.exists(own)
