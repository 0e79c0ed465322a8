"""After a trial: every blob that it needs is named by the store, and its loss is told by command."""

from __future__ import annotations

import json
import os

from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.base import Step
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.trial.sealing import seal_scenario
from pilotbase.worker.trials.proving import prove
from pilotbase.workspace.blobs.store import KEPT, OWN


def told(*words: str, code: int = 0, language: str = "en") -> str:
    ended = CliRunner(env={"PILOTBASE_LANGUAGE": language}).invoke(app, ["blobs", *words])
    assert ended.exit_code == code, ended.output
    return ended.output


def test_what_a_trial_needs_stays_and_is_missed(base, home, write_scenario, write_application):
    scenario = write_scenario()
    prove(base, scenario, write_application())
    blobs = base.lab.vault.blobs
    lost = blobs.put(b"written, and killed before its document was")
    for path in (home / "blobs").rglob("*"):
        if path.is_file():
            os.utime(path, (0, 0))
    found = {*blobs.digests(OWN), *blobs.digests(KEPT)} - {lost}
    assert len(found) >= 3
    assert f"{len(found) + 1} of {len(found) + 1} objects" in told("verify")
    assert "1 blob," in told("collect", "--dry-run")
    assert "宽限期" in told("collect", "--days", "0.01", code=2, language="zh")
    printed = told("collect", "--json")
    assert json.loads(printed[printed.index("{") :])["blobs"] == [lost]
    assert not blobs.exists(lost)
    assert {*blobs.digests(OWN), *blobs.digests(KEPT)} == found
    for digest in found:
        for path in (home / "blobs").rglob(digest[-62:]):
            path.unlink()
    output = told("verify", "--share", "0", code=3)
    for digest in found:
        assert digest in output
    assert "缺失" in told("verify", "--json", code=3, language="zh")


def test_who_attaches_the_public_sample_to_a_message_and_removes_it_erases_no_sample(base, write_scenario):
    document, folder = load_scenario(write_scenario(), Step.DRAFT)
    sealed = seal_scenario(base.lab, document, folder)
    blobs, sample = base.lab.vault.blobs, sealed.record.public_sample
    content = blobs.get(sample)
    attached = blobs.put(content)
    assert attached == sample
    blobs.remove(attached)
    assert blobs.get(sample) == content
