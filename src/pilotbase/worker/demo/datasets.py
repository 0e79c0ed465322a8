"""The datasets behind the demonstration's scenarios: published by their owners, agreed on by whoever is tried out."""

from __future__ import annotations

from pathlib import Path

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.saving import save
from pilotbase.catalogue.subjects import new_agreement
from pilotbase.data.bridges.reading import load_description
from pilotbase.data.commitments import publishable
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import Opening, Role
from pilotbase.worker.base import Base
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.terms_rows import agreements_between

DESCRIPTION = "dataset.yaml"


def publish_dataset(base: Base, folder: Path, person: str | None = None) -> Subject | None:
    """Publish the dataset that the example in ``folder`` describes, once; return its subject, None: it describes none.

    ``person``: who does so for its owner.
    """
    place = folder / DESCRIPTION
    if not place.is_file():
        return None
    described: Dataset = load_description(place).description.require()
    if find_listing(base.lab.view, described.subject) is None:
        owner = base.lab.store.as_actor(Actor(described.owner.organisation, frozenset({Role.DEMAND_OWNER}), person))
        save(owner, publishable(described, place))
        advance(owner, described.subject, Act.DATASET_PUBLISH)
    return described.subject


def agree_on(base: Base, dataset: Subject, supplier: str, person: str | None = None) -> None:
    """Let a supplier take up what is offered of a dataset, for all that it is offered for; of open data none needs to.

    One that has an agreement, whatever became of it, makes no other.
    """
    view = base.lab.store.as_actor(Actor(supplier, frozenset({Role.SUPPLIER}), person))
    listing = find_listing(view, dataset)
    assert listing is not None, "it was published before"
    described = view.load(listing.digest, Dataset)
    with view.reading() as connection:
        known = agreements_between(connection, dataset, supplier)
    if known or described.opening is Opening.OPEN or described.usage is None:
        return
    terms = Agreement(
        dataset=dataset,
        dataset_version=described.digest(),
        version=described.version,
        assigner=described.owner.organisation,
        assignee=supplier,
        offer=described.usage,
        purposes=described.usage.purposes,
    )
    advance(view, new_agreement(), Act.AGREEMENT_TAKE, Move(terms))
