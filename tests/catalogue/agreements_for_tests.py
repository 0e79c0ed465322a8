"""A dataset of the plant, complete to be published, and an agreement on it with a supplier."""

from collections.abc import Mapping

from pilotbase.data.terms.gate import permit
from pilotbase.data.terms.templates import OfferLimits, offer_for
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset, ResponsibleUse
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import Request
from pilotbase.documents.vocabularies import Opening
from tests.catalogue.records_for_tests import MACHINE, OWNER, SUPPLIER, Trial, digest

DATASET, AGREEMENT = "dataset:plant/logs", "agreement:a1"


def file_of(name: str, opening: Opening, content: bytes | None = None) -> dict[str, object]:
    """Return a file as a published description says it: a closed one by its commitment, else by address and hash."""
    closed = {"commitment": digest(name)}
    named = digest(name) if content is None else digest_bytes(content)
    opened = {"contentUrl": name, "sha256": named.partition(":")[2]}
    said = closed if opening is Opening.COMPUTE_TO_DATA else opened
    return {"kind": "file", "id": name, "encodingFormat": ["text/csv"], "contentSize": 10, **said}


def in_file(fields: list[dict[str, object]], file: str = "logs.csv") -> list[dict[str, object]]:
    """Return fields as columns of a file."""
    return [{**field, "source": {"resource": file, "column": field["name"]}} for field in fields]


def dataset(
    version: str = "1.0.0",
    opening: Opening = Opening.COMPUTE_TO_DATA,
    files: tuple[str, ...] | Mapping[str, bytes] = ("logs.csv",),
    **changes,
) -> Dataset:
    """Return a dataset that lacks nothing to be published; ``files``: their names, or what they hold."""
    contents = dict(files) if isinstance(files, Mapping) else dict.fromkeys(files)
    value = {
        "name": "logs",
        "title": {"en": "Spindle logs", "zh": "主轴日志"},
        "owner": {"organisation": "plant"},
        "description": {"en": "Torque by second.", "zh": "每秒扭矩。"},
        "version": version,
        "license": "CC-BY-4.0",
        "url": "https://plant.example/logs",
        "creator": ["Plant"],
        "publisher": "Plant",
        "datePublished": "2026-04-01",
        "dateModified": "2026-04-01",
        "inLanguage": ["en"],
        "opening": opening,
        "usageInfo": offer_for(opening, "plant", DATASET, OfferLimits(uses=5)),
        "responsible": ResponsibleUse(
            collection="By the controller.",
            personal_sensitive_information=("none",),
            limitations=("One line.",),
            use_cases=("Warning of breakage.",),
            annotation_protocol="A fitter after each run.",
            annotations_per_item="1",
        ),
        "distribution": [file_of(name, opening, content) for name, content in contents.items()],
        "recordSet": [
            {"name": "logs", "field": in_file([{"name": "torque", "dataType": "sc:Float"}], next(iter(contents)))}
        ],
    }
    return Dataset.model_validate({**value, **changes})


def agreement(of: Dataset, **changes) -> Agreement:
    value = {
        "dataset": DATASET,
        "dataset_version": of.digest(),
        "version": of.version,
        "assigner": "plant",
        "assignee": "acme",
        "offer": of.usage,
        "purposes": ["pb:verification"],
        "ends": "2026-12-31",
    }
    return Agreement.model_validate({**value, **changes})


def publish(trial: Trial, what: Dataset) -> Dataset:
    trial.do(OWNER, DATASET, Act.DATASET_REGISTER, what)
    trial.do(OWNER, DATASET, Act.DATASET_PUBLISH)
    return what


def agree(trial: Trial, what: Dataset, **changes) -> Agreement:
    agreed = agreement(what, **changes)
    trial.do(OWNER, AGREEMENT, Act.AGREEMENT_OFFER, agreed)
    trial.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_AGREE)
    return agreed


def use_once(trial: Trial) -> None:
    """Let the supplier's application use the dataset once."""
    asked = Request(
        target=DATASET,
        action="pb:computeOn",
        by="acme",
        purpose="pb:verification",
        recipient="acme",
        channel="pb:report",
        rows=10,
    )
    permit(trial.store.as_actor(MACHINE), asked, digest("use"))
