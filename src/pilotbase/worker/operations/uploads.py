"""Files that are handed in."""

from __future__ import annotations

from typing import Any

from pilotbase.documents.api.uploads import OpenUpload, WorldTold
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import Act
from pilotbase.operations import uploads as declared
from pilotbase.operations.operation import NoInput
from pilotbase.vault import uploads
from pilotbase.vault.place import Vault
from pilotbase.worker.base import vault_of
from pilotbase.worker.datasets.owner_jobs import work_told
from pilotbase.worker.operations.binding import Caller, does
from pilotbase.worker.worlds import SentWorld, find_sent, order_check
from pilotbase.workspace.actors import require_may_begin

does(declared.SHOW)(lambda caller, asked: _told(uploads.find_upload(_vault(caller), asked.identity)))
does(declared.FINISH)(lambda caller, asked: _told(uploads.finish_upload(_vault(caller), asked.identity)))
does(declared.ERASE)(lambda caller, asked: uploads.erase_upload(_vault(caller), asked.identity))
does(declared.START)(
    lambda caller, asked: _told(
        uploads.start_upload(_vault(caller), asked.name, asked.size, asked.digest, caller.limits.uploads)
    )
)
does(declared.SEND)(
    lambda caller, asked: _told(
        uploads.append_piece(_vault(caller), asked.identity, asked.start, asked.piece, caller.limits.uploads.lifetime)
    )
)


does(declared.WORLD)(lambda caller, asked: _world_told(caller, find_sent(caller.base, caller.view, asked.identity)))


@does(declared.CHECK_WORLD)
def check_world(caller: Caller, asked: declared.OfUpload) -> WorldTold:
    """Have a worker try every gate on the world in a finished upload."""
    upload = uploads.find_upload(_vault(caller), asked.identity)
    require_may_begin(Act.SCENARIO_REGISTER, caller.view.actor)
    if not upload.finished:
        raise InputError("describe.unfinished_file", name=upload.name)
    order_check(caller.view, upload)
    return _world_told(caller, find_sent(caller.base, caller.view, asked.identity))


@does(declared.LIST)
def list_all(caller: Caller, asked: NoInput) -> list[OpenUpload]:
    """List the organisation's uploads that are not yet handed in, newest first."""
    return [_told(one) for one in uploads.list_uploads(_vault(caller))] if caller.view.actor.organisation else []


def _vault(caller: Caller) -> Vault:
    return vault_of(caller.base, caller.view)


def _world_told(caller: Caller, found: SentWorld) -> WorldTold:
    check, said = found.result.check if found.result else None, work_told(found, caller.language)
    return WorldTold(identity=found.upload.identity, name=found.upload.name, check=check, **said)


def _told(upload: Any) -> OpenUpload:
    return OpenUpload.model_validate(upload)
