"""Files that are handed in."""

from __future__ import annotations

from typing import Any

from pilotbase.documents.api.uploads import OpenUpload
from pilotbase.operations import uploads as declared
from pilotbase.operations.operation import NoInput
from pilotbase.vault import uploads
from pilotbase.vault.place import Vault
from pilotbase.worker.base import vault_of
from pilotbase.worker.operations.binding import Caller, does

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


@does(declared.LIST)
def list_all(caller: Caller, asked: NoInput) -> list[OpenUpload]:
    """List the organisation's uploads that are not yet handed in, newest first."""
    return [_told(one) for one in uploads.list_uploads(_vault(caller))] if caller.view.actor.organisation else []


def _vault(caller: Caller) -> Vault:
    return vault_of(caller.base, caller.view)


def _told(upload: Any) -> OpenUpload:
    return OpenUpload.model_validate(upload)
