"""What users install: a wheel of this repository holds all that runs, and nothing names a package that is not ours."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pilotbase.documents.extras import packages_of

ROOT = Path(__file__).resolve().parent.parent
BY_NAME = re.compile(r"(pip|pipx|uv)3? (tool )?(install|add)[^\n]*[ '\"]pilotbase(\[|['\"`\s=<>~]|$)")
"""An index would answer with whatever stands under that name."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index"]
    both = [ROOT, ROOT / "estate"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", folder, *both], check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def wheel(wheels):
    (built,) = wheels.glob("pilotbase-*.whl")
    return built


@pytest.mark.parametrize(("name", "root"), [("pilotbase", "src"), ("pilotbase_estate", "estate")])
def test_the_wheel_holds_every_file_of_its_package_and_nothing_of_the_other(wheels, name, root):
    listed = subprocess.run(["git", "ls-files", f"{root}/{name}"], cwd=ROOT, capture_output=True, text=True, check=True)
    (built,) = wheels.glob(f"{name}-*.whl")
    held = set(zipfile.ZipFile(built).namelist())
    assert {file.removeprefix(f"{root}/") for file in listed.stdout.split()} <= held
    assert {file.partition("/")[0] for file in held if not file.startswith(f"{name}-")} == {name}
    if name == "pilotbase":  # what the hub shows as its documentation
        assert {f"pilotbase/hub/docs/{file}" for file in ("index.md", "run-a-hub.zh.md", "tasks/agent.md")} <= held


@pytest.mark.prove
def test_what_was_installed_from_the_wheel_runs(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    draw = random.Random(3)
    days = [(draw.uniform(0, 200), draw.uniform(0, 200)) for _ in range(400)]  # of which neither alone is enough
    rows = [f"{wind:.2f},{delay:.2f},{'late' if min(wind, delay) > 100 else 'early'}" for wind, delay in days]
    (tmp_path / "cases.csv").write_text("\n".join(["wind,delay,outcome", *rows]))
    draft = ["new", "--from", "cases.csv", "--problem", "Late flights", "--target", "outcome", "--group-or-time", ""]
    run(tmp_path, *draft, "--miss", "1", "--false-alarm", "1", "--contact", "acme a@example.org", "--out", "flights")
    assert "检查通过" in run(tmp_path, "check", "flights")


def run(folder, *words):
    program = "import sys, pilotbase.cli as cli; print(cli.__file__); sys.exit(cli.main())"
    environment = {"PYTHONPATH": str(folder / "site"), "HOME": str(folder), "PILOTBASE_LANGUAGE": "zh"}
    command = [sys.executable, "-c", program, "scenario", *words]
    ran = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0 and ran.stdout.startswith(str(folder / "site")), ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("extra", ["images", "inspect", "onnx", "opendp", "postgres", "s3", "semantic", "sklearn"])
def test_an_extra_is_told_by_its_packages(extra):
    told = packages_of(extra)
    assert "pilotbase" not in told and re.fullmatch(r"('[a-z0-9\[\]-]+>=[\d.]+' ?)+", told)


def test_nobody_is_told_to_install_a_name_that_may_be_anybodys():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    found = []
    for name in listed:
        if name.startswith(("tests/", "benchmarks/results/")):
            continue
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {match[0]}" for match in BY_NAME.finditer(text)]
    assert not found
    assert BY_NAME.search("pip install 'pilotbase[onnx]'") and BY_NAME.search("pip install pilotbase")
    assert not BY_NAME.search("pip install '.[onnx]'") and not BY_NAME.search(
        "pip install pilotbase-0.1.0-py3-none-any.whl"
    )
