"""Images of containers are laid out as runtimes do, inside their folder and their bounds, and refused with a reason."""

from __future__ import annotations

import gzip
import io
import json
import os
import platform
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.sandbox.box import environments, image_unpacker
from pilotbase.sandbox.box.command import loader_of, root_arguments
from pilotbase.sandbox.box.copies import remove_folder
from pilotbase.sandbox.box.environments import ROOT, START, image_environment
from pilotbase.sandbox.box.image_unpacker import RefusedImageError
from pilotbase.sandbox.box.settings import running_interpreter
from tests.contracts.image_cases import laid_out_by_oci, layer, link, saved, special


@pytest.fixture
def lay_out(tmp_path):
    """Lay an image out as the program in the box does; return its root and how it is started."""
    root = tmp_path / "root"
    root.mkdir()

    def run(content: bytes, most_bytes: int = 1 << 20, most_files: int = 100):
        (tmp_path / "image.tar").write_bytes(content)
        greeting = {"archive": tmp_path / "image.tar", "target": root, "bytes": most_bytes, "files": most_files}
        return root, image_unpacker.run(greeting)

    return run


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the box's user can reach, whatever the user of the tests."""
    path = Path(tempfile.mkdtemp(prefix="pilotbase-images-"))
    path.chmod(0o755)
    yield path
    remove_folder(path)


def same(target: str) -> tarfile.TarInfo:
    return link(target, tarfile.LNKTYPE)


def names(root) -> set[str]:
    return {str(place.relative_to(root)) for place in root.rglob("*")}


@pytest.mark.parametrize("write", [saved, laid_out_by_oci])
def test_layers_lie_over_one_another_and_take_away_what_they_say(lay_out, write):
    lower = layer({"etc/kept": "1", "etc/gone": "2", "var/old/a": "3", "run/tool": "4", "file": "5"})
    upper = layer({
        "etc/.wh.gone": "", "var/old/new": "6", "var/old/.wh..wh..opq": "", "run/tool": "7", "bin": link("usr/bin"),
        "file": special(tarfile.DIRTYPE), "usr/bin/sh": "8", "bin/by-link": "9", "usr/bin/same": same("usr/bin/sh"),
    })  # fmt: skip
    start = {"Entrypoint": ["/bin/sh"], "Cmd": ["-c", "x"], "Env": ["A=1", "B=2=3"], "WorkingDir": "/var"}
    root, found = lay_out(write([lower, upper], start))
    assert names(root) == {
        "etc", "etc/kept", "var", "var/old", "var/old/new", "run", "run/tool", "file", "bin", "usr", "usr/bin",
        "usr/bin/sh", "usr/bin/by-link", "usr/bin/same",
    }  # fmt: skip
    assert (root / "run/tool").read_text() == "7" and (root / "usr/bin/same").read_text() == "8"
    assert found == {"command": ["/bin/sh", "-c", "x"], "variables": {"A": "1", "B": "2=3"}, "folder": "/var"}


def test_links_lead_inside_the_image_and_devices_stay_out(lay_out, tmp_path):
    (tmp_path / "outside").mkdir()
    entries = {
        "out": link("../outside"), "out/one": "1", "away": link(str(tmp_path / "outside")), "away/two": "2",
        "dev/sda": special(tarfile.BLKTYPE), "dev/pipe": special(tarfile.FIFOTYPE), "etc/ld.so.preload": "/evil.so",
        "e": link("etc"), "e/ld.so.preload": "/evil.so",
    }  # fmt: skip
    root, _ = lay_out(saved([layer(entries)], {}))
    assert list((tmp_path / "outside").iterdir()) == []
    inside = str(tmp_path / "outside").lstrip("/")
    assert {"outside/one", f"{inside}/two"} <= names(root)
    assert not {"dev/sda", "dev/pipe", "etc/ld.so.preload"} & names(root)


def test_special_modes_are_forgotten(lay_out):
    info = special(tarfile.REGTYPE)
    info.mode = 0o6755
    root, _ = lay_out(saved([layer({"su": info})], {}))
    assert stat.S_IMODE((root / "su").stat().st_mode) == 0o755


def sparse() -> bytes:
    info = special(tarfile.GNUTYPE_SPARSE)
    info.name = "holes"
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[156:157] = tarfile.GNUTYPE_SPARSE
    block[483:495] = b"%011o\0" % (1 << 40)
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(1024)


def twice(content: bytes) -> bytes:
    """Return an archive of two images."""
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        files = {name: opened.extractfile(name).read() for name in opened.getnames()}
    return layer({**files, "manifest.json": json.dumps(json.loads(files["manifest.json"]) * 2)})


def deep(depth: int = 100_000) -> bytes:
    return layer({"manifest.json": "[" * depth})


ONE_LAYER = '[{"Config": "c", "Layers": ["l"]}]'
WRONG = {
    "upwards": (lambda: saved([layer({"a/../../b": "1"})], {}), "path", "a/../../b"),
    "loop": (lambda: saved([layer({"a": link("b"), "b": link("a"), "a/c": "1"})], {}), "path", "a/c"),
    "through_a_file": (lambda: saved([layer({"a": "1", "a/b": "2"})], {}), "path", "a/b"),
    "hard_link_upwards": (lambda: saved([layer({"a": same("../../x")})], {}), "path", "../../x"),
    "hard_link_to_a_folder": (lambda: saved([layer({"d/e": "1", "a": same("d")})], {}), "path", "a -> d"),
    "hard_link_to_nothing": (lambda: saved([layer({"a": same("b")})], {}), None, "No such file"),
    "removes_its_folder": (lambda: saved([layer({"a/.wh..": ""})], {}), "path", "a/.wh.."),
    "removes_upwards": (lambda: saved([layer({"kept": "1"}), layer({"a/b/.wh...": ""})], {}), "path", "a/b/.wh..."),
    "sparse": (lambda: saved([sparse()], {}), "sparse", "holes"),
    "zstandard": (lambda: saved([b"\x28\xb5\x2f\xfd" + bytes(600)], {}), "zstandard", "0/layer.tar"),
    "machine": (lambda: saved([layer({})], {}, architecture="s390x"), "machine", "linux/s390x"),
    "system": (lambda: saved([layer({})], {}, os="windows"), "machine", "windows"),
    "several": (lambda: twice(saved([layer({})], {})), "several", "2"),
    "no_image": (lambda: layer({"hello.txt": "1"}), "no_image", "hello.txt"),
    "no_archive": (lambda: b"no archive" * 100, None, "invalid header"),
    "packed": (lambda: gzip.compress(saved([layer({})], {})), None, "header"),
    "cut": (lambda: saved([layer({"a": "1" * 9000})[:4096]], {}), None, "unexpected end"),
    "no_layer": (lambda: layer({"manifest.json": ONE_LAYER, "c": "{}"}), None, "'l' not found"),
    "layer_is_itself": (lambda: layer({"manifest.json": ONE_LAYER, "c": "{}", "l": link("l")}), None, ""),
    "deep": (deep, None, "recursion"),
    "odd": (lambda: layer({"manifest.json": '[{"Config": 5, "Layers": 7}]'}), None, ""),
    "bytes": (lambda: saved([layer({"zeros": bytes(2 << 20)})], {}), "large", "zeros"),
    "files": (lambda: saved([layer({f"f{number}": "" for number in range(101)})], {}), "many", "f100"),
    "layers": (lambda: saved([layer({})] * 501, {}), "many", "501"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_an_image_is_said(lay_out, name):
    make, kind, words = WRONG[name]
    with pytest.raises(RefusedImageError if kind else Exception) as refused:
        lay_out(make())
    said = f"{refused.value.found}" if kind else str(refused.value)
    assert words in said and (kind is None or refused.value.kind == kind)


def test_an_image_is_laid_out_in_a_box_kept_and_named_by_its_content(folder):
    (folder / "image.tar").write_bytes(saved([layer({"opt/run": "x", "lib": link("opt")})], {"Cmd": ["/opt/run"]}))
    kept = image_environment(folder / "image.tar", folder / "cache")
    assert names(kept.path) == {ROOT, START, f"{ROOT}/opt", f"{ROOT}/opt/run", f"{ROOT}/lib"}
    assert stat.S_IMODE((kept.path / ROOT / "opt/run").stat().st_mode) == 0o555
    assert (kept.path / ROOT / "opt/run").stat().st_uid == os.getuid()
    assert json.loads((kept.path / START).read_bytes())["command"] == ["/opt/run"]
    before = (kept.path / START).stat().st_ctime_ns
    again = image_environment(folder / "image.tar", folder / "cache")
    assert again == kept and (again.path / START).stat().st_ctime_ns == before
    (kept.path / ROOT).chmod(0o755)
    (kept.path / ROOT / "lib").unlink()
    (kept.path / ROOT / "lib").symlink_to("/etc")
    with pytest.raises(InvalidProofError):
        kept.verify()
    assert image_environment(folder / "image.tar", folder / "cache") == kept


@pytest.mark.parametrize("name", ["machine", "cut", "no_image"])
def test_an_image_that_is_refused_says_why_in_both_languages_and_leaves_nothing(folder, name):
    make, _, words = WRONG[name]
    (folder / "image.tar").write_bytes(make())
    with pytest.raises(InputError) as refused:
        image_environment(folder / "image.tar", folder / "cache")
    assert words in refused.value.render("en") and "镜像被拒绝" in refused.value.render("zh")
    assert not list((folder / "cache/environments").glob("*/tree"))


def test_a_folder_of_loaders_that_is_a_link_is_refused_from_outside(folder):
    (folder / "image.tar").write_bytes(saved([layer({"etc": link("other"), "other/ld.so.preload": "/evil.so"})], {}))
    with pytest.raises(InputError, match="ld\\.so\\.preload"):
        image_environment(folder / "image.tar", folder / "cache")


def test_a_bomb_ends_at_its_bound(folder, monkeypatch):
    monkeypatch.setattr(environments, "MOST_BYTES", 1 << 20)
    (folder / "image.tar").write_bytes(laid_out_by_oci([layer({"zeros": bytes(64 << 20)})], {}))
    with pytest.raises(InputError, match="zeros"):
        image_environment(folder / "image.tar", folder / "cache")


def test_what_the_box_has_of_its_own_is_not_shown_of_an_image_and_links_stay_links(tmp_path):
    for name in ("proc", "dev", "tmp", "pilotbase", "application", "environment", "usr"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin").symlink_to("/root")
    assert root_arguments(tmp_path) == ["--symlink", "/root", "/bin", "--ro-bind", str(tmp_path / "usr"), "/usr"]


def test_the_loader_is_read_from_the_interpreter(tmp_path):
    loader = loader_of(running_interpreter().executable)
    assert (
        loader.is_file() and loader.name.startswith("ld-linux") and platform.machine().replace("_", "-") in loader.name
    )
    (tmp_path / "script").write_bytes(b"#!/bin/sh\n")
    assert loader_of(tmp_path / "script").name == ""
