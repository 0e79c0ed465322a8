"""A closed dataset of a plant: machines that fail when they are hot, published with a budget for statistics."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from pilotbase.data.quality.columns import ROW, record_table
from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.private import PrivateQuestion
from pilotbase.documents.terms import Purpose
from pilotbase.documents.vocabularies import Opening, Role
from pilotbase.workspace.actors import PUBLIC, actor, parties
from pilotbase.workspace.store import Store
from pilotbase.workspace.terms_rows import AgreementRow, DatasetRow, put_agreement, put_dataset

DATASET, AGREEMENT, OWNER, SUPPLIER = "dataset:plant/milling", "agreement:7f3a9c", "plant", "lakeside-ai"
BUDGET = 2_000_000
LIMITS = OfferLimits(purposes=(Purpose.VERIFICATION, Purpose.STATISTICS), epsilon=BUDGET)
FIELDS = [
    {"name": "id", "dataType": "sc:Text", "pattern": r"M\d{6}", "required": True, "unique": True},
    {"name": "machine", "dataType": "sc:Text"},
    {"name": "taken", "dataType": "sc:DateTime"},
    {"name": "kind", "dataType": "sc:Text", "values": ["L", "M", "H"], "required": True},
    {"name": "hot", "dataType": "sc:Boolean"},
    {"name": "torque", "dataType": "sc:Float", "minimum": 0, "maximum": 100, "unit": "N.m"},
    {"name": "wear", "dataType": "sc:Integer", "minimum": 0, "maximum": 250, "required": True},
    {"name": "remark", "dataType": "sc:Text"},
    {"name": "failed", "dataType": "sc:Boolean", "semantic": ["cr:Label"], "required": True},
]


def described(group: str | None = None, **changes) -> Dataset:
    record_set = {
        "name": "runs",
        "field": FIELDS,
        "key": ["id"],
        "group": group,
        "rules": [{"name": "no-strain", "rule": "torque + wear < 300"}],
    }
    value = {
        "name": "milling",
        "title": {"en": "Milling", "zh": "铣削"},
        "owner": {"organisation": OWNER},
        "opening": Opening.COMPUTE_TO_DATA,
        "usageInfo": offer_for(
            Opening.COMPUTE_TO_DATA,
            OWNER,
            DATASET,
            OfferLimits(purposes=(Purpose.VERIFICATION, Purpose.STATISTICS), epsilon=BUDGET),
        ),
        "recordSet": [record_set],
    }
    return Dataset.model_validate({**value, **changes})


def runs(rows: int = 4000, seed: int = 3) -> pl.DataFrame:
    """Return the records; torque and wear are higher where a run has failed."""
    random = np.random.default_rng(seed)
    failed = random.random(rows) < 0.3
    torque = np.clip(random.normal(np.where(failed, 65, 35), 10, rows), 0, 100)
    wear = np.clip(random.normal(np.where(failed, 160, 80), 30, rows), 0, 199).astype(int)
    return pl.DataFrame(
        {
            "id": [f"M{number:06}" for number in range(rows)],
            "machine": [f"machine {number}" for number in random.integers(0, rows // 4, rows)],
            "taken": [None] * rows,
            "kind": random.choice(["L", "M", "H"], rows, p=[0.6, 0.399, 0.001]),
            "hot": [str(bool(one)).lower() for one in random.random(rows) < np.where(failed, 0.8, 0.2)],
            "torque": np.where(random.random(rows) < 0.1, np.nan, torque.round(3)),
            "wear": wear,
            "remark": [f"secret {number}" for number in range(rows)],
            "failed": [str(bool(one)).lower() for one in failed],
        },
        schema_overrides={"taken": pl.String},
    )


def table_of(dataset: Dataset, frame: pl.DataFrame):
    return record_table(dataset.record_sets[0], frame.lazy().with_row_index(ROW, offset=1))


def question(dataset: Dataset, **changes) -> PrivateQuestion:
    value = {
        "dataset": dataset.subject,
        "version": dataset.digest(),
        "record_set": "runs",
        "by": SUPPLIER,
        "epsilon": 1_000_000,
        "cell_size": 10,
    }
    return PrivateQuestion.model_validate({**value, **changes})


@dataclass(frozen=True)
class Plant:
    """A store in which the dataset is published, and an agreement on it in force."""

    store: Store

    @property
    def supplier(self):
        return self.store.as_actor(actor(SUPPLIER, Role.SUPPLIER, person="p"))

    def publish(self, dataset: Dataset) -> Dataset:
        base, now = self.store.as_actor(actor("base", Role.OPERATOR)), self.store.clock()
        agreement = Agreement(
            dataset=DATASET,
            dataset_version=dataset.digest(),
            version=dataset.version,
            assigner=OWNER,
            assignee=SUPPLIER,
            offer=dataset.usage,
            purposes=(Purpose.VERIFICATION, Purpose.STATISTICS),
        )
        with base.transaction("dataset.publish") as change:
            digest = change.put(dataset, PUBLIC, owner=OWNER)
            put_dataset(change.connection, DatasetRow(DATASET, OWNER, "published", digest, "1.0.0", dataset.opening))
            agreed = change.put(agreement, parties(SUPPLIER), owner=OWNER)
            row = AgreementRow(AGREEMENT, DATASET, OWNER, SUPPLIER, "in_force", agreed, now, now + timedelta(days=9))
            put_agreement(change.connection, row)
        return dataset
