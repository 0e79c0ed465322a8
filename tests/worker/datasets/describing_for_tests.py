"""Files sent to a base as uploads of an organisation, and work on them done by a worker."""

import hashlib
from dataclasses import replace
from datetime import timedelta

from pilotbase.documents.hashes import digest_of
from pilotbase.vault.place import UploadTerms
from pilotbase.vault.uploads import append_piece, finish_upload, start_upload
from pilotbase.worker.jobs.worker import JobWorker
from pilotbase.workspace.jobs import JobState

TERMS = UploadTerms(1 << 26, 1 << 28, timedelta(days=1))
PUMPS = "run_id,temp_c,state\n" + "".join(
    f"r{row},{20 + row % 7}.5,{'ok' if row % 3 else 'failed'}\n" for row in range(60)
)


def sent(base, view, name: str, content: bytes, piece: int = 1 << 20) -> str:
    """Return the identity of a finished upload of the actor's organisation."""
    vault = replace(base.lab.vault, view=view)
    digest = digest_of(hashlib.sha256(content).hexdigest())
    upload = start_upload(vault, name, len(content), digest, TERMS)
    for start in range(0, len(content), piece):
        append_piece(vault, upload.identity, start, content[start : start + piece], TERMS.lifetime)
    return finish_upload(vault, upload.identity).identity


def work(base) -> list[str]:
    """Do all that is queued and return how each job ended; what waits for something else is left waiting."""
    worker, ends = JobWorker(base, "test"), []
    while (done := worker.work_once()) and done[1] is not JobState.QUEUED:
        ends.append(f"{done[0].kind} {done[1].value}")
    return ends
