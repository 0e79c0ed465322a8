"""The base in one file, by its commands: accounts too, both languages, while the hub is in use."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from tests.workspace.stores_for_tests import reason_to_skip, running_server

ACCOUNTS = """
import sys
from pilotbase.hub.serving import serving
serving.configure(serving.BindAddress())
serving.prepare()
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from pilotbase.hub.models import Membership, Person
if sys.argv[1] == "make":
    person = Person(email="wei@example.org", name="魏工", identity="p-wei", language="zh")
    person.set_password("correct horse battery staple")
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    Membership.objects.create(person=person, organisation="pilot-base", roles=["operator"])
if sys.argv[1] == "count":
    sys.exit(print(Person.objects.count(), "people"))
person = Person.objects.get()
print(person.pk, person.name, person.identity, person.joined_at.isoformat())
print(person.check_password("correct horse battery staple"))
print(Membership.objects.get().roles, EmailAddress.objects.get().verified, Session.objects.count())
if sys.argv[1] == "show":
    Person.objects.create(email="next@example.org", name="Next")
"""


def run(home: Path, *words: object, language: str = "en") -> str:
    ended = ran(home, *words, language=language)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def failed(home: Path, *words: object) -> str:
    ended = ran(home, *words)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr, ended.stderr
    return ended.stderr


def ran(home: Path, *words: object, language: str = "en") -> "subprocess.CompletedProcess[str]":
    """Run a command in a process of its own: Django serves one home a process."""
    environment = {**os.environ, "PILOTBASE_HOME": str(home), "PILOTBASE_LANGUAGE": language}
    program = ACCOUNTS if words[0] == "accounts" else "from pilotbase.cli import main; main()"
    words = words[1:] if words[0] == "accounts" else words
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def told_by(home: Path, *words: object, code: int) -> str:
    ended = CliRunner(env={"PILOTBASE_HOME": str(home)}).invoke(app, [str(word) for word in words])
    assert ended.exit_code == code, ended.output
    return ended.output


@pytest.mark.prove
def test_a_base_with_accounts_comes_back_and_goes_on(tmp_path):
    home, copy, file = tmp_path / "home", tmp_path / "copy", tmp_path / "base.backup"
    before = run(home, "accounts", "make")
    assert "It does not contain keys" in run(home, "backup", file)
    told = run(copy, "restore", file, language="zh")
    assert "全部摘要校验通过" in told and "log.pem" in told and "hub.key" in told
    assert not (copy / "keys" / "hub.key").exists()
    assert "not empty" in told_by(copy, "restore", file, code=2)
    assert "log.pem" in told_by(copy, "log", "verify", code=2)
    for key in filter(Path.is_file, (home / "keys").rglob("*")):
        brought = copy / "keys" / key.relative_to(home / "keys")
        brought.parent.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(key, brought)
    assert run(copy, "accounts", "show") == before


@pytest.mark.prove
def test_a_base_with_accounts_goes_to_postgresql_and_back(tmp_path):
    if reason_to_skip():
        pytest.skip(str(reason_to_skip()))
    home, there, back = tmp_path / "home", tmp_path / "there", tmp_path / "back"
    before, keys = run(home, "accounts", "make"), ("--keys", home / "keys")
    run(home, "backup", tmp_path / "one.backup")
    with running_server() as url:
        told = run(there, "restore", tmp_path / "one.backup", "--store", url, *keys)
        assert "not part of a backup" not in told
        assert run(there, "accounts", "show") == before
        run(there, "backup", tmp_path / "two.backup")
        assert "contains accounts" in failed(back, "restore", tmp_path / "one.backup", "--store", url, *keys)
    assert not back.exists()
    run(back, "restore", tmp_path / "two.backup", *keys)
    assert "2 people" in run(back, "accounts", "count")


def test_init_names_store_and_blobs_or_says_what_is_wrong(tmp_path):
    there, new = tmp_path / "there", tmp_path / "new"
    elsewhere = ("--store", f"sqlite:///{tmp_path}/other.db", "--blobs", tmp_path / "bucket")
    told_by(there, "init", *elsewhere, code=0)
    assert (tmp_path / "other.db").exists() and not (there / "pilotbase.db").exists()
    told_by(there, "init", *elsewhere, code=0)
    assert "a different address" in told_by(there, "init", "--store", "sqlite:////x.db", code=5)
    told = told_by(new, "init", "--store", "mysql://me:geheim@h/x", code=2)
    assert "begin with one of postgresql" in told and "geheim" not in told
    assert "store of another base" in told_by(new, "init", *elsewhere, code=2)
    assert "fsspec" in told_by(tmp_path / "newer", "init", "--blobs", "nosuch://x", code=2)
    assert "another base" in told_by(tmp_path / "newer", "init", "--blobs", tmp_path / "bucket", code=5)
    nowhere = tmp_path / "file" / "blobs"
    nowhere.parent.write_bytes(b"")
    assert "file/blobs" in told_by(tmp_path / "newer", "init", "--blobs", nowhere, code=1)
    assert not (tmp_path / "newer").exists() and not Path("/x.db").exists()
