"""Two homes after two trials at the site: one application accepted there, one rejected."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from pilotbase.worker.base import open_base
from pilotbase.worker.sites.packing import Packed
from pilotbase.worker.sites.running import SiteRun
from pilotbase.worker.sites.taking_back import TakenBack
from tests.trial.conftest import BAD, GOOD
from tests.worker.sites.homes_for_tests import Homes, two_homes

MARK = b"patient-"
"""Begins the key of every case, so that a case is found wherever it stands."""


@dataclass
class Trial:
    packed: Packed
    ran: SiteRun
    taken: TakenBack


@dataclass
class Done:
    homes: Homes
    before: Path
    """The base's home as it was when both trials had run and nothing had come back."""
    good: Trial
    bad: Trial


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    place = tmp_path_factory.mktemp("sites")
    with two_homes(place) as homes:
        cases = homes.scenario / "cases.csv"
        cases.write_bytes(re.sub(rb"(?m)^c(\d+),", MARK + rb"\1,", cases.read_bytes()))
        homes.enrol()
        names = {"alarm": GOOD, "lazy": BAD}
        packs = {name: homes.pack(homes.application(names[name], name), f"{name}.pack") for name in names}
        runs = {name: homes.run(packs[name].file, name=f"{name}.json") for name in names}
        shutil.copytree(place / "base", place / "base before")
        taken = {name: homes.take_back(runs[name].file, name) for name in names}
        good, bad = (Trial(packs[name], runs[name], taken[name]) for name in names)
        yield Done(homes, place / "base before", good, bad)


@pytest.fixture
def base_before(done, tmp_path, monkeypatch):
    """A base of its own to which nothing has come back yet."""
    home = tmp_path / "base"
    shutil.copytree(done.before, home)
    monkeypatch.setenv("PILOTBASE_HOME", str(home))
    base = open_base()
    yield base
    base.lab.close()


@pytest.fixture
def homes(tmp_path):
    """Two homes that know of each other, with nothing run yet."""
    with two_homes(tmp_path) as homes:
        homes.enrol()
        yield homes
