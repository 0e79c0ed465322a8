"""A hub where the plant has published a closed dataset, keeps its table, and lets a supplier spend ε on it."""

from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import Purpose
from pilotbase.documents.vocabularies import Opening
from pilotbase.worker.datasets.keeping import keep_files
from pilotbase.worker.jobs.worker import JobWorker
from tests.catalogue.agreements_for_tests import AGREEMENT, agreement, dataset, in_file
from tests.catalogue.records_for_tests import OWNER, SUPPLIER
from tests.data.private.closed_for_tests import FIELDS, runs

ADDRESS = "/api/datasets/plant/logs/statistics"
PAGE = "/datasets/plant/logs/statistics/"
BUDGET = 3_000_000
TABLE = runs(2000)


def closed_dataset(name="logs", **changes) -> Dataset:
    """Return the dataset, with fields that a profile counts."""
    limits = OfferLimits(purposes=(Purpose.VERIFICATION, Purpose.STATISTICS), epsilon=BUDGET)
    record_set = {"name": "runs", "field": in_file(FIELDS), "key": ["id"]}
    usage = offer_for(Opening.COMPUTE_TO_DATA, "plant", f"dataset:plant/{name}", limits)
    return dataset(name=name, recordSet=[record_set], usageInfo=usage, **changes)


def keep_closed(world, folder, rows=TABLE, name="logs") -> Dataset:
    """Publish the dataset, agree on it with acme, and keep its table."""
    from pilotbase.hub.base import base

    trial, what = world.trial, closed_dataset(name)
    subject, agreed = what.subject, AGREEMENT if name == "logs" else f"agreement:{name}"
    trial.do(OWNER, subject, Act.DATASET_REGISTER, what)
    trial.do(OWNER, subject, Act.DATASET_PUBLISH)
    terms = agreement(what, dataset=subject, purposes=["pb:verification", "pb:statistics"], ends=None)
    trial.do(OWNER, agreed, Act.AGREEMENT_OFFER, terms)
    trial.do(SUPPLIER, agreed, Act.AGREEMENT_AGREE)
    table = folder / "logs.csv"
    rows.write_csv(table)
    keep_files(base(), trial.store.as_actor(OWNER), subject, [table])
    return what


def work() -> list[tuple[str, str]]:
    """Do all that is queued; return kinds and ends."""
    from pilotbase.hub.base import base

    worker, done = JobWorker(base(), "w1"), []
    while (one := worker.work_once()) is not None:
        done.append((one[0].kind, one[1].value))
    return done
