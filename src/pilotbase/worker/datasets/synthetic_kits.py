"""Starter kits with a synthetic sample, for suppliers who may hold no row of a dataset."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from pilotbase.catalogue.application_draft import ApplicationRequest, draft_application, kit_name
from pilotbase.documents.application import Runtime
from pilotbase.documents.contract import Contract
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import Role
from pilotbase.trial.entering import may_show_sample
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.samples import fetch_sample
from pilotbase.worker.datasets.statistics import asked_of
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View


def synthetic_kit(base: Base, scenario: Scenario, supplier: str, runtime: Runtime = "python") -> bytes | None:
    """Return a zip with an application and the dataset's newest synthetic sample that ``supplier`` was given.

    Nothing of the scenario's table is read: the labels are those that the description declares. The log records that
    the sample is given out once more. None: the supplier may hold rows of the public sample, has no synthetic one, or
    nothing states the possible answers. Raises `InputError`: no application of this form can answer.
    """
    known = None if may_show_sample(base.lab.view, scenario, supplier) else _known(base, scenario, supplier)
    if known is None:
        return None
    view, identity, contract = known
    taken = fetch_sample(base, view, identity)
    packed, name = io.BytesIO(), kit_name(scenario)
    with (
        zipfile.ZipFile(io.BytesIO(b"".join(taken.pieces))) as sample,
        tempfile.TemporaryDirectory(dir=base.lab.folder("tmp")) as scratch,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        table = f"{PurePosixPath(taken.name).stem}.csv"
        wanted = ApplicationRequest(supplier, name, table, runtime)
        for path in draft_application(scenario, contract, Path(scratch, name), wanted):
            archive.write(path, path.relative_to(scratch))
        for member in sample.namelist():
            archive.writestr(PurePosixPath(member).name, sample.read(member))
    return packed.getvalue()


def has_kit(base: Base, scenario: Scenario, supplier: str) -> bool:
    """Return whether a supplier may have a kit of a scenario: with its public sample, or with a synthetic one."""
    return may_show_sample(base.lab.view, scenario, supplier) or _known(base, scenario, supplier) is not None


def _known(base: Base, scenario: Scenario, supplier: str) -> tuple[View, str, Contract] | None:
    """Return the supplier's view, its newest synthetic sample, and the contract as far as it is declared; or None."""
    dataset, view = scenario.data.dataset, base.lab.store.as_actor(Actor(supplier, frozenset({Role.SUPPLIER})))
    identity = newest_sample(view, dataset) if dataset is not None else None
    if dataset is None or identity is None:
        return None
    contract = scenario.contract(_classes(view, scenario, dataset))
    if contract.prediction.kind == "label" and not contract.prediction.classes:
        return None
    return view, identity, contract


def newest_sample(view: View, dataset: Subject) -> str | None:
    """Return the identity of the actor's newest question that has a synthetic sample; None if there is none."""
    own = (one for one in asked_of(view, dataset) if one.order.question.by == view.actor.organisation)
    return next((one.order.identity for one in own if one.sample is not None), None)


def _classes(view: View, scenario: Scenario, dataset: Subject) -> tuple[str, ...]:
    """Return the labels that the description declares, sorted; else the one that the scenario names."""
    listing = find_listing(view, dataset)
    record_sets = view.load(listing.digest, Dataset).record_sets if listing is not None else ()
    targets = (field for one in record_sets for field in one.fields if field.name == scenario.data.target)
    declared = next((field.values for field in targets if field.values), ())
    return tuple(sorted(declared)) or tuple(filter(None, [scenario.positive]))
