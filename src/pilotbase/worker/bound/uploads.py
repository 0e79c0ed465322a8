"""Files that are handed in."""

from __future__ import annotations

from typing import Any

from pilotbase.documents.api.uploads import NewUpload, OpenUpload
from pilotbase.operations import uploads as declared
from pilotbase.operations.operation import NoInput
from pilotbase.vault import uploads
from pilotbase.vault.place import Vault
from pilotbase.worker.bound.binding import Caller, does
from pilotbase.worker.intake.versions import vault_of

does(declared.SHOW)(lambda caller, asked: _told(uploads.find_upload(_vault(caller), asked.identity)))
does(declared.FINISH)(lambda caller, asked: _told(uploads.finish_upload(_vault(caller), asked.identity)))
does(declared.ERASE)(lambda caller, asked: uploads.erase_upload(_vault(caller), asked.identity))


@does(declared.LIST)
def list_all(caller: Caller, asked: NoInput) -> list[OpenUpload]:
    """List the organisation's uploads that are not yet handed in, newest first."""
    return [_told(one) for one in uploads.list_uploads(_vault(caller))] if caller.view.actor.organisation else []


@does(declared.START)
def start(caller: Caller, asked: NewUpload) -> OpenUpload:
    """Announce an upload."""
    vault = _vault(caller)
    return _told(uploads.start_upload(vault, asked.name, asked.size, asked.digest, caller.limits.uploads))


@does(declared.SEND)
def send(caller: Caller, asked: declared.Piece) -> OpenUpload:
    """Append a piece."""
    lifetime = caller.limits.uploads.lifetime
    return _told(uploads.append_piece(_vault(caller), asked.identity, asked.start, asked.piece, lifetime))


def _vault(caller: Caller) -> Vault:
    return vault_of(caller.base, caller.view)


def _told(upload: Any) -> OpenUpload:
    return OpenUpload.model_validate(upload)
