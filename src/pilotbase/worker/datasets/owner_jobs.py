"""An owner's own work on files in a box, ordered on a hub: queued, done by a worker, told to that owner alone.

What is ordered so stands on no record: nobody else sees in the queue that it was.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pilotbase.compute.box.own_functions import BoxedCall
from pilotbase.data.terms.gate import permit
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.subjects import holder_of
from pilotbase.documents.terms import Action, Channel, Purpose, Request
from pilotbase.documents.texts import text
from pilotbase.vault.dataset_files import KeptFile, open_for_statistics
from pilotbase.vault.place import Vault
from pilotbase.worker.base import Base
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.jobs import Job
from pilotbase.workspace.store import View


def owner_of(base: Base, job: Job) -> View:
    """Return the view of the organisation for which a job was ordered: the job may do what its owner may."""
    return base.lab.store.as_actor(Actor(job.organisation, frozenset(), job.person))


def vault_for(base: Base, view: View) -> Vault:
    """Return the vault as the actor of ``view`` reaches it."""
    return replace(base.lab.vault, view=view)


@contextmanager
def files_for_box(base: Base, files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[Path]:
    """Yield a private folder with ``files`` (name, pieces), gone at the end of the block."""
    with tempfile.TemporaryDirectory(dir=base.lab.folder("tmp")) as scratch:
        folder = Path(scratch, "files")
        folder.mkdir()
        for name, pieces in files:
            with (folder / name).open("xb") as written:
                written.writelines(pieces)
        yield folder


def boxed(function: str, folder: Path, given: Mapping[str, object]) -> BoxedCall:
    """Return the call of a function of `in_box` about the files in ``folder``."""
    names = ", ".join(sorted(path.name for path in folder.iterdir()))
    broken = InputError("data.not_a_table", file=names, reason=text("data.reason.box"))
    return BoxedCall(f"pilotbase.worker.datasets.in_box:{function}", folder, given, broken)


def opened_for_owner(base: Base, job: Job, kept: KeptFile) -> Iterator[bytes]:
    """Return the pieces of a file that its owner's job looks at: counted once a job by the gate, logged.

    Raises:
        RefusedError: the job is not its owner's.
    """
    owner = holder_of(kept.dataset)
    asked = Request(
        target=kept.dataset,
        action=Action.COMPUTE_ON,
        by=owner,
        purpose=Purpose.STATISTICS,
        recipient=owner,
        channel=Channel.STATISTICS,
        rows=kept.rows or 0,
    )
    leave = permit(base.lab.view, asked, digest_json([job.kind, job.identity, kept.digest()]))
    return open_for_statistics(base.lab.vault, kept, leave)
