"""Labels that were given in Label Studio, taken into a round: the export is read in a box, all of it or nothing."""

from __future__ import annotations

import pydantic

from pilotbase.compute.box.own_functions import call_in_box
from pilotbase.data.labelling.gathering import Annotation
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.labelling import LabellingRound
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.vault.opening import ReaderGrant
from pilotbase.vault.uploads import erase_upload, find_upload, read_upload
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.label_rounds import find_round, round_head
from pilotbase.worker.datasets.labelling import stage_of, take_labels
from pilotbase.worker.datasets.owner_jobs import boxed, files_for_box, owner_of, vault_for
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.jobs import Job, enqueue
from pilotbase.workspace.store import View

IMPORT = WorkKind.LABEL_IMPORT
_EXPORT = "export.json"


class ReadLabel(pydantic.BaseModel):
    """One label of an export."""

    item: str
    annotator: str
    label: str


class ReadLabels(pydantic.BaseModel):
    """What a box has read of an export; what is no label was left out and counted."""

    labels: list[ReadLabel]
    left_out: dict[str, int] = {}


def order_import(base: Base, view: View, identity: str, upload: str) -> None:
    """Queue the reading of an export that the owner of a round has sent.

    Raises:
        NotFoundError: no such round concerns the actor, or there is no such upload.
        RefusedError: the actor is not the owner.
        ConflictError: the round is not open.
    """
    of = find_round(view, identity)
    if view.actor.organisation != of.dataset_owner:
        raise RefusedError("workspace.not_yours", organisation=view.actor.organisation, owner=of.dataset_owner)
    if stage_of(base, of).name != "open":
        raise ConflictError("labelling.not_now")
    find_upload(vault_for(base, view), upload)
    with view.transaction("labelling.import_ordered") as change:
        change.record("labelling.import_ordered", [of.digest()])
        enqueue(change, IMPORT, round_head(identity), {"round": of.digest(), "upload": upload})


def import_ordered(base: Base, job: Job) -> None:
    """Read the export that ``job`` names and keep its labels; the upload is erased then.

    Raises:
        InputError: every problem of the export, with its places; labels of other items, or given otherwise before.
    """
    of, vault = base.lab.view.load(job.payload["round"], LabellingRound), vault_for(base, owner_of(base, job))
    upload = find_upload(vault, job.payload["upload"])
    given = {"campaign": of.campaign.to_json_value(), "file": _EXPORT}
    pieces = read_upload(vault, upload.identity, ReaderGrant.of_owner(upload.owner))
    with files_for_box(base, [(_EXPORT, pieces)]) as folder:
        found = call_in_box(boxed("read_labels", folder, given), ReadLabels)
    take_labels(base, of, [Annotation(one.item, one.annotator, one.label) for one in found.labels])
    erase_upload(vault, upload.identity)
