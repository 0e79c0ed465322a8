"""Two homes that share nothing but files handed over: a base, and a site at the owner of the data."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from pilotbase.documents.site import Release, Witness
from pilotbase.trial.lab import TrialRuntime
from pilotbase.worker.base import Base, open_base
from pilotbase.worker.sites.enrolling import enrol_site, look_at_enrolment
from pilotbase.worker.sites.packing import Packed, PackOrder, pack_for_site
from pilotbase.worker.sites.running import SiteOrder, SiteRun, run_pack
from pilotbase.worker.sites.taking_back import TakenBack, take_back
from pilotbase.worker.sites.unpacking import offer_scenarios
from tests.trial.conftest import GOOD, writing_application, writing_scenario

ROUNDED = Release()
WITNESS = Witness(name="Li Wei", organisation="plant")


@dataclass
class Homes:
    """A base, a site, and the table between them on which files change hands."""

    place: Path
    base: Base
    site: Base
    scenario: Path

    @property
    def table(self) -> Path:
        return self.place / "table"

    @property
    def roots(self) -> Path:
        return self.base.trust_roots

    def offer(self, release: Release = ROUNDED, name: str = "site-enrolment.json") -> Path:
        """The site writes its enrolment."""
        file = self.table / name
        file.write_bytes(offer_scenarios(self.site, (self.scenario,), release))
        return file

    def enrol(self, file: Path | None = None):
        """The base enrols the site with the key that its owner names."""
        file = file or self.offer()
        key = look_at_enrolment(file).roots.roots[-1].key.key_id
        return enrol_site(self.base, self.base.lab.view, file, key)

    def pack(self, application: Path, name: str = "trial.pack", days: int = 30) -> Packed:
        """The base packs an application for the site."""
        order = PackOrder(self.site.trust.issuer, "small-alarm", application, days)
        return pack_for_site(self.base, order, self.table / name)

    def run(self, pack: Path, witness: Witness = WITNESS, name: str = "site-report.json") -> SiteRun:
        """The site runs a pack."""
        return run_pack(self.site, SiteOrder(pack, self.scenario, self.roots, witness, self.table / name))

    def take_back(self, file: Path, name: str = "one") -> TakenBack:
        """The base takes a report back."""
        return take_back(self.base, file, self.place / f"taken {name}")

    def application(self, program: str = GOOD, name: str = "alarm", supplier: str = "acme") -> Path:
        return writing_application(self.place)(program, name, supplier)


@contextmanager
def two_homes(place: Path, change=lambda content: content, rows: int = 700, cases: int = 100):
    """Yield a base and a site with a scenario whose data only the site has."""
    (place / "table").mkdir()
    owned = place / "owned"
    owned.mkdir()
    scenario = writing_scenario(owned)(rows=rows, cases=cases, change=change)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PILOTBASE_HOME", str(place / "base"))
        base = open_base(create=True, name="pilot-base")
        patched.setenv("PILOTBASE_HOME", str(place / "site"))
        site = open_base(create=True, name="plant-site")
    yield Homes(place, base, site, scenario)
    base.lab.close()
    site.lab.close()


def at(base: Base, moved: timedelta) -> Base:
    """Return a base whose clock is off by so much."""
    clock = base.lab.store.clock
    store = replace(base.lab.store, clock=lambda: clock() + moved)
    view = replace(base.lab.vault.view, store=store)
    lab = TrialRuntime(base.lab.home, store, replace(base.lab.vault, view=view))
    return replace(base, lab=lab)


def environment(home: Path) -> dict[str, str]:
    """Return what a process of its own needs to work on a home."""
    return {**os.environ, "PILOTBASE_HOME": str(home), "PILOTBASE_LANGUAGE": "en"}
