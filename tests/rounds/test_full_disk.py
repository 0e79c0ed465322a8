"""A hub whose disk is full, for real: what is handed in is refused and told, and goes through once there is space."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotbase.worker.base import Base, open_base
from pilotbase.workspace.checks.reconciliation import verify_store
from tests.rounds.machine_for_tests import Machine
from tests.rounds.walk_for_tests import Walk, publish

pytestmark = pytest.mark.prove


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small file system")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.fixture
def base(small_disk, monkeypatch) -> Iterator[Base]:
    monkeypatch.setenv("PILOTBASE_HOME", str(small_disk / "home"))
    opened = open_base(create=True, name="base")
    yield opened
    opened.lab.close()


def fill(disk: Path) -> Path:
    """Leave not one block."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (1 << 16, 1 << 12):
            try:
                while True:
                    stream.write(b"\0" * size)
            except OSError:
                continue
    assert shutil.disk_usage(disk).free == 0
    return ballast


def send(walk: Walk, who: str, path: str, body: object, key: str) -> tuple[int, dict]:
    headers = {
        "Authorization": f"Bearer {walk.tokens[who]}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    request = urllib.request.Request(f"http://127.0.0.1:{walk.port}{path}", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_submission_on_a_full_disk_is_refused_and_goes_through_when_there_is_space(base, small_disk, tmp_path):
    publish(base, tmp_path, 1)
    machine = Machine(base.home.path, None)
    try:
        walk = Walk(base, machine.port, machine.tokens, 0)
        steps = dict(walk.steps())
        steps["commission.propose"]()
        agree = f"/api/trials/{walk.name}/acts/commission.agree"
        before, size = walk.record(), verify_store(base.lab.store).size
        ballast = fill(small_disk)
        for _ in range(3):
            status, told = send(walk, "owner", agree, {}, "once")
            assert (status, told["code"]) == (507, "hub.disk_full"), machine.log.read_text()[-6000:]
        status, _ = send(walk, "owner", "/api/scenarios/check", {}, "other")
        assert status < 500 or status == 507
        with urllib.request.urlopen(f"http://127.0.0.1:{walk.port}/", timeout=60) as page:
            assert page.status == 200, "reading goes on"
        assert walk.record() == before
        assert verify_store(base.lab.store).size == size
        ballast.unlink()
        status, record = send(walk, "owner", agree, {}, "once")
        assert (status, record["state"]) == (200, "agreed"), record
        assert len(walk.record().history) == len(before.history) + 1
        verify_store(base.lab.store)
    finally:
        machine.close()
