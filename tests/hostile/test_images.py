"""Hostile images: nothing of one runs with a right, sees the host, or stands where a program of ours is looked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pilotbase.documents.application import Form
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.limits import EndReason, IsolationLevel
from pilotbase.sandbox.box import command
from pilotbase.sandbox.box.box import BoxStartError
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.box.environments import image_environment
from pilotbase.sandbox.box.probe import probe_host
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy, StartMode, running_interpreter
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker
from tests.contracts.image_cases import BUSYBOX, busybox_layer, layer, link, saved
from tests.hostile.conftest import CONTRACT, batch

pytestmark = pytest.mark.skipif(not BUSYBOX.exists(), reason="no busybox here (Debian: busybox-static)")

GARBAGE = b"\x7fELF no library"
LIBRARIES = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "libcap-ng.so.0", "libnss_files.so.2")
ANSWER = """#!/bin/sh
while read -r line; do
  case "$line" in *'"rows": 0'*) echo '[]'; continue ;; esac
  {{ {attack}; }} > /dev/null && echo '[1, 1, 1]' || echo '[0, 0, 0]'
done
"""
"""A program in the shell that answers whether an attack got through."""
NAMED = "for attack in {names}; do\n  case $attack in {cases} esac 2> /dev/null && echo got through: $attack >&2\ndone"


@pytest.fixture
def image(folder) -> Callable[..., WarmWorker]:
    """Start a worker of an image with this attack in it, and these files besides."""

    def begin(attack: str, settings: BoxSettings, files: Mapping[str, object] = {}, **start) -> WarmWorker:
        application = folder / "image"
        application.mkdir(exist_ok=True)
        layers = [busybox_layer(), layer({"opt/answer": ANSWER.format(attack=attack), **files})]
        content = saved(layers, {"Cmd": ["/opt/answer"], "Env": ["PATH=/bin"], **start})
        (application / "image.tar").write_bytes(content)
        environment = image_environment(application / "image.tar", folder / "cache")
        form = Form(runtime="container", image="image.tar")
        return start_worker(application, form, CONTRACT, environment, settings)

    return begin


def places_of_libraries() -> list[str]:
    """Return where loaders look, relative to the root: the system's folders, and what our interpreter names itself."""
    prefix = running_interpreter().prefix
    folders = ["lib", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib64"]
    return [*folders, str(prefix.relative_to("/") / "lib")]


def poisoned() -> dict[str, object]:
    """Return every file by which an image could have its own code loaded into a program of ours."""
    files: dict[str, object] = {f"{place}/{name}": GARBAGE for place in places_of_libraries() for name in LIBRARIES}
    files |= {
        f"{places_of_libraries()[-1]}/{name.name}": GARBAGE for name in running_interpreter().prefix.glob("lib/libpy*")
    }
    files |= {"etc/ld.so.cache": GARBAGE, "etc/ld.so.preload": "/lib/libc.so.6", "lib64": link("usr/lib64")}
    files |= {"etc/nsswitch.conf": "passwd: files evil\n", "etc/passwd": "200001:x:0:0::/:/bin/sh\n"}
    files |= {"pilotbase/host": link("/"), "pilotbase/entering.py": "raise SystemExit('the image ran')"}
    return files


def attacks(labels: Path) -> dict[str, str]:
    """Return attack → what a shell tries; the last is none, and shows that one that gets through is seen."""
    places = ("/", "/opt/", "/bin/", "/pilotbase/", "/pilotbase/host/", "/application/", "/environment/", "/etc/")
    return {
        "user": "[ $(id -u) = 0 ]",
        "rights": r"grep -q 'Cap\(Eff\|Prm\|Inh\|Amb\):.*[1-9a-f]' /proc/self/status",
        "new_rights": "! grep -q 'NoNewPrivs:.1' /proc/self/status",
        "files_of_the_host": f"cat {labels} || cat /proc/1/root{labels} || cat /etc/shadow",
        "writing": " || ".join(f"(echo 1 > {place}x)" for place in places),
        "environment": "env | grep s3cret || cat /proc/*/environ | grep s3cret",
        "network": "grep -v -e lo: -e Inter -e face /proc/net/dev",
        "large_file": "cat /dev/zero > /tmp/full; [ $(stat -c %s /tmp/full) -gt 8388608 ]",
        "scratch": "echo 1 > /tmp/y",
    }


def test_an_image_full_of_libraries_and_loaders_gets_through_nowhere(image, settings, folder, monkeypatch):
    monkeypatch.setenv("PILOTBASE_TEST_SECRET", "s3cret")
    (folder / "labels.csv").write_text("case,label\n1,true\n")
    tried = attacks(folder / "labels.csv")
    cases = " ".join(f"{name}) {attack} ;;" for name, attack in tried.items())
    attack = NAMED.format(names=" ".join(tried), cases=cases)
    with image(attack, replace(settings, logs=LogPolicy.FULL), poisoned()) as worker:
        worker.predict(batch())
        worker.close()
        seen = [line for line in worker.logs().text.splitlines() if line.startswith("got through")]
    assert seen == ["got through: scratch"]


def test_these_libraries_would_be_loaded_but_for_what_the_loader_is_told(image, default, monkeypatch):
    words_of = command.python_words

    def without_path(*arguments) -> list[str]:
        told = words_of(*arguments)
        at = told.index("--library-path")
        return told[:at] + told[at + 2 :]

    monkeypatch.setattr(command, "python_words", without_path)
    with pytest.raises(BoxStartError):
        image("false", default, poisoned())


@pytest.mark.skipif(StartMode.D not in probe_host().starts, reason="only a box started by root has rights to give up")
def test_a_program_that_keeps_its_rights_is_refused_from_outside(image, default, monkeypatch):
    entering = command.entering_words
    monkeypatch.setattr(command, "entering_words", lambda uid, limits, script: entering(None, limits, script))
    with pytest.raises(BoxStartError, match="uid"):
        image("false", replace(default, start=StartMode.D))


def test_limits_hold_in_an_image(image, default):
    small = replace(default, limits=default.limits.model_copy(update={"cpu_seconds": 1, "batch_seconds": 20}))
    with pytest.raises(BoxEnded) as ended, image("while true; do true; done", small) as worker:
        worker.predict(batch())
    assert ended.value.reason is EndReason.CPU_LIMIT


def test_an_image_is_never_started_below_level_two(image, default):
    with pytest.raises(RefusedError, match="L2"):
        image("false", replace(default, level=IsolationLevel.L1))


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"Cmd": []}, "starts nothing"),
        ({"Cmd": ["/opt/absent"]}, "is no program of the image"),
        ({"Env": ["A\0B=1", "PATH=/bin"]}, "cannot be run here"),
        ({"Cmd": ["/bin/false"]}, "exit code: 1"),
    ],
)
def test_an_image_that_cannot_start_says_why(image, default, start, words):
    files = {"bin/false": link("busybox")}
    with pytest.raises(BoxEnded) as ended:
        image("false", replace(default, logs=LogPolicy.FULL), files, **json.loads(json.dumps(start)))
    assert words in ended.value.detail


@pytest.mark.parametrize(("named", "used"), [("/absent", "/"), ("/opt", "/opt")])
def test_the_folder_is_the_images_where_there_is_one_and_the_home_is_the_boxs(image, default, named, used):
    with image(f"[ $(pwd) = {used} ] && [ $HOME = /tmp ]", default, WorkingDir=named, User="root") as worker:
        assert worker.predict(batch()).values.all()
