"""Hostile wheels: nothing of them runs outside a box, leaves its folder, grows without bound, or replaces a file."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import site
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box import environments
from pilotbase.sandbox.box.copies import mark_of
from pilotbase.sandbox.box.environments import VERIFIED, Environment, build_environment
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy, running_interpreter
from pilotbase.sandbox.box.warm_worker import start_worker

CONTRACT = Contract(features=(Field(name="x", dataType="sc:Float"),), prediction=Prediction(kind="value"))


def wheel_bytes(members: Mapping[str, bytes | str], links: Mapping[str, str] = {}) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        for name, destination in links.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, destination)
    return target.getvalue()


def metadata(name: str) -> dict[str, str]:
    return {
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}-1.0.dist-info/RECORD": "",
    }


class Shelf:
    """A wheel cache that already holds what a lock names, as if pip had fetched it."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.lines: list[str] = []

    def add(self, name: str, members: Mapping[str, bytes | str], links: Mapping[str, str] = {}) -> Path:
        content = wheel_bytes({**members, **metadata(name)}, links)
        sha256 = hashlib.sha256(content).hexdigest()
        folder = self.cache / "wheels" / running_interpreter().tag / sha256
        folder.mkdir(parents=True)
        path = folder / f"{name}-1.0-py3-none-any.whl"
        path.write_bytes(content)
        self.lines.append(f"{name}==1.0 --hash=sha256:{sha256}")
        return path

    def build(self) -> Environment:
        return build_environment("\n".join(self.lines).encode(), "requirements.lock", self.cache)


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    return Shelf(folder / "cache")


def refusal(shelf: Shelf) -> str:
    with pytest.raises(InputError) as refused:
        shelf.build()
    left = [path.name for path in (shelf.cache / "environments").iterdir() if not path.name.endswith(".lock")]
    assert left == [], "a refused build leaves nothing behind"
    reason = refused.value.text.params["reason"]
    return reason.code


def test_a_path_file_runs_nowhere(shelf, folder):
    mark = folder / "mark"
    line = f"import os; os.close(os.open({str(mark)!r}, os.O_CREAT))\n"
    path = shelf.add("evil", {"evil.pth": line, "sitecustomize.py": line, "evil.py": "value = 1"})
    environment = shelf.build()
    assert not mark.exists() and not (environment.path / "evil.pth").exists()
    naive = folder / "naive"
    zipfile.ZipFile(path).extractall(naive)
    site.addsitedir(str(naive))
    sys.path.remove(str(naive))
    assert mark.exists(), "a plain installation would have run it at the next start of Python"


@pytest.mark.parametrize(
    "name", ["../../escaped.py", "/tmp/escaped.py", "a/../../../escaped.py", "a\\..\\escaped.py", "a//b.py"]
)
def test_a_path_that_leads_out(shelf, name):
    shelf.add("evil", {name: "x = 1"})
    assert refusal(shelf) == "environment.wheel.path"
    assert not list(shelf.cache.rglob("escaped.py"))


def test_a_naive_unpacker_follows_such_a_path(folder):
    content = wheel_bytes({"../escaped.py": "x = 1"})
    inside = folder / "inside"
    inside.mkdir()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (inside / archive.namelist()[0]).write_bytes(archive.read(archive.namelist()[0]))
    assert (folder / "escaped.py").exists()


def test_a_link(shelf):
    shelf.add("evil", {"evil.py": ""}, links={"labels": "/etc/passwd"})
    assert refusal(shelf) == "environment.wheel.link"


def test_a_bomb(shelf, monkeypatch):
    monkeypatch.setattr(environments, "FREE_BYTES", 1 << 20)
    path = shelf.add("evil", {"evil.bin": b"\0" * (64 << 20)})
    with zipfile.ZipFile(path) as archive:
        assert len(archive.read("evil.bin")) > 500 * path.stat().st_size, "unpacked without a bound it is huge"
    assert refusal(shelf) == "environment.wheel.bomb"


def test_a_bomb_that_lies_about_its_size(shelf, monkeypatch):
    monkeypatch.setattr(environments, "FREE_BYTES", 1 << 20)
    path = shelf.add("evil", {"evil.bin": b"\0" * (64 << 20)})
    content = path.read_bytes().replace((64 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.parent.rename(path.parent.parent / hashlib.sha256(content).hexdigest())
    lying = path.parent.parent / hashlib.sha256(content).hexdigest() / path.name
    lying.write_bytes(content)
    shelf.lines = [f"evil==1.0 --hash=sha256:{hashlib.sha256(content).hexdigest()}"]
    assert refusal(shelf) in ("environment.wheel.bomb", "environment.wheel.broken")


def test_more_files_than_anyone_needs(shelf, monkeypatch):
    monkeypatch.setattr(environments, "MAX_FILES", 100)
    shelf.add("evil", {f"evil/{number}.py": "" for number in range(101)})
    assert refusal(shelf) == "environment.wheel.files"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 this is no archive", pickle.dumps([1])])
def test_what_is_no_archive(shelf, content):
    folder = shelf.cache / "wheels" / running_interpreter().tag / hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True)
    (folder / "evil-1.0-py3-none-any.whl").write_bytes(content)
    shelf.lines = [f"evil==1.0 --hash=sha256:{folder.name}"]
    assert refusal(shelf) == "environment.wheel.broken"


def test_overwriting_another_package(shelf):
    shelf.add("honest", {"honest/__init__.py": "value = 'honest'"})
    shelf.add("zevil", {"zevil.py": "", "honest/__init__.py": "value = 'evil'"})
    assert refusal(shelf) == "environment.wheel.overwrite"


def test_a_file_where_another_package_has_a_folder(shelf):
    shelf.add("honest", {"honest/__init__.py": "value = 'honest'"})
    shelf.add("zevil", {"honest": "a file"})
    assert refusal(shelf) == "environment.wheel.overwrite"


def test_two_packages_may_bring_the_same_file(shelf):
    shelf.add("first", {"common/__init__.py": "", "common/first.py": ""})
    shelf.add("second", {"common/__init__.py": "", "common/second.py": ""})
    assert (shelf.build().path / "common" / "second.py").exists()


def test_replacing_runner_and_standard_library(shelf, write_application):
    evil = "raise SystemExit('replaced')"
    names = ("program.py", "runner.py", "json.py", "struct.py", "json/__init__.py", "encodings/__init__.py", "os.py")
    shelf.add("evil", dict.fromkeys(names, evil))
    application = write_application("def predict(batch): return [1.0] * batch.rows")
    with start_worker(application, Form(), CONTRACT, shelf.build(), BoxSettings(logs=LogPolicy.FULL)) as worker:
        assert worker.predict(FeatureBatch({"x": np.zeros(2)}, 2)).values.tolist() == [1.0, 1.0]


def test_scripts_are_not_installed_and_nothing_is_writable(shelf):
    shelf.add(
        "tool",
        {"tool/__init__.py": "", "tool-1.0.data/scripts/python3": "#!/bin/sh", "tool-1.0.data/purelib/more.py": ""},
    )
    environment = shelf.build()
    names = {path.relative_to(environment.path).as_posix() for path in environment.path.rglob("*")}
    assert "more.py" in names and not any("python3" in name or "scripts" in name for name in names)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [environment.path, *environment.path.rglob("*")]}
    assert modes <= {0o555, 0o444}
    assert {path.stat().st_uid for path in environment.path.rglob("*")} == {os.getuid()}


def poison(file: Path, content: str) -> None:
    file.parent.chmod(0o755)
    file.chmod(0o644)
    file.write_text(content)


def test_a_poisoned_environment_is_noticed_and_built_again(shelf):
    shelf.add("honest", {"honest/__init__.py": "value = 1\n"})
    environment = shelf.build()
    name = f"{environment.path} {environment.seal}"
    assert VERIFIED[name] == mark_of([environment.path], ()), "a scorer that gets this mark hashes no file again"
    poison(environment.path / "honest" / "__init__.py", "value = 2\n")
    with pytest.raises(InvalidProofError) as noticed:
        environment.verify()
    assert noticed.value.code == "environment.poisoned"
    rebuilt = shelf.build()
    assert (rebuilt.path / "honest" / "__init__.py").read_text() == "value = 1\n"
    assert rebuilt.digest == environment.digest
    rebuilt.verify()


def test_a_poisoned_environment_is_never_started(shelf, write_application):
    shelf.add("honest", {"honest/__init__.py": "value = 1\n"})
    environment = shelf.build()
    extra = environment.path / "added.py"
    environment.path.chmod(0o755)
    extra.write_text("")
    application = write_application("def predict(batch): return [1.0] * batch.rows")
    with pytest.raises(InvalidProofError):
        start_worker(application, Form(), CONTRACT, environment, BoxSettings())


def test_poisoned_bytecode_is_noticed(shelf):
    shelf.add("honest", {"honest/__init__.py": "value = 1\n"})
    environment = shelf.build()
    [bytecode] = environment.path.rglob("*.pyc")
    poison(bytecode, "evil")
    with pytest.raises(InvalidProofError):
        environment.verify()


def test_a_poisoned_wheel_is_thrown_away(shelf, monkeypatch):
    path = shelf.add("honest", {"honest/__init__.py": "value = 1\n"})
    path.write_bytes(wheel_bytes({"honest/__init__.py": "value = 2\n", **metadata("honest")}))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf.cache / "nowhere"))
    with pytest.raises(InputError) as refused:
        shelf.build()
    assert refused.value.code == "environment.no_wheel" and not path.exists()


@pytest.mark.prove
def test_a_wheel_whose_name_is_another_package(shelf, monkeypatch):
    path = shelf.add("honest", {"honest/__init__.py": ""})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf.cache / "nowhere"))
    shelf.lines = [f"other==1.0 --hash=sha256:{path.parent.name}"]
    with pytest.raises(InputError) as refused:
        shelf.build()
    assert refused.value.code == "environment.no_wheel"


@pytest.mark.one_in(2)
@pytest.mark.parametrize("kind", ["source", "other-bytes"])
def test_pip_gets_nothing_but_the_wheel_that_the_lock_names(shelf, folder, monkeypatch, kind):
    index = folder / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    if kind == "source":
        (index / "evil-1.0.tar.gz").write_bytes(b"setup.py would run")
        sha256, code = hashlib.sha256(b"setup.py would run").hexdigest(), "environment.no_wheel"
    else:
        (index / "evil-1.0-py3-none-any.whl").write_bytes(wheel_bytes(metadata("evil")))
        sha256, code = "0" * 64, "environment.hash_mismatch"
    shelf.lines = [f"evil==1.0 --hash=sha256:{sha256}"]
    with pytest.raises(InputError) as refused:
        shelf.build()
    assert refused.value.code == code


def test_what_one_build_does_never_reaches_another(shelf, folder):
    """Two suppliers whose locks share a package get folders of their own."""
    shelf.add("common", {"common/__init__.py": "value = 1\n"})
    first = shelf.build()
    shelf.add("evil", {"evil.py": ""})
    second = shelf.build()
    assert first.path != second.path
    assert (first.path / "common/__init__.py").stat().st_ino != (second.path / "common/__init__.py").stat().st_ino
    wheels = list((shelf.cache / "wheels").rglob("*.whl"))
    assert all(hashlib.sha256(wheel.read_bytes()).hexdigest() == wheel.parent.name for wheel in wheels)


def test_python_finds_the_compiled_modules_without_writing(shelf):
    shelf.add("honest", {"honest/__init__.py": "value = 41 + 1\n"})
    environment = shelf.build()
    program = f"import sys; sys.path.append({str(environment.path)!r}); import honest"
    command = [sys.executable, "-I", "-S", "-v", "-c", program]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "code object from" in said.stderr and "honest/__pycache__" in said.stderr


def test_tests_inside_packages_stay_source(shelf):
    shelf.add("tools", {"tools/__init__.py": "", "tools/tests/__init__.py": "", "tools/tests/cases.py": "few = 3"})
    place = shelf.build().path
    assert [found.parent.relative_to(place).as_posix() for found in place.rglob("*.pyc")] == ["tools/__pycache__"]
    program = f"import sys; sys.path.append({str(place)!r}); from tools.tests import cases; print(cases.few)"
    command = [sys.executable, "-I", "-S", "-B", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "3\n"
