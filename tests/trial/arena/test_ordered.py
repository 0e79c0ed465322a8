"""A scenario with a world goes the whole way of a hub: handed in, rehearsed, frozen, run, certified by the worker."""

import io
import zipfile

import pytest

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.permissions import Act
from pilotbase.documents.report import Report
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.vocabularies import Verdict
from pilotbase.worker.intake.drafting import starter_kit
from tests.catalogue.records_for_tests import OWNER, PLANNER, SUPPLIER
from tests.trial.arena.agents import UTILITY, write_agent, write_scenario
from tests.worker.commissions_for_tests import APPLICATION, SCENARIO, Ordered


@pytest.mark.prove
def test_a_world_goes_from_its_owners_folder_to_a_certificate(base, tmp_path):
    scenario, application = write_scenario(tmp_path, UTILITY), write_agent(tmp_path, name="alarm")
    manifest = scenario / "scenario.yaml"
    manifest.write_text(manifest.read_text().replace("name: parcel-run", f"name: {SCENARIO.rpartition('/')[2]}"))
    ordered = Ordered(base)
    (scenario / "world" / "sealed").mkdir()
    (scenario / "world" / "sealed" / "notes.txt").write_text("for hidden episodes alone")
    ordered.open(scenario, application)
    kept = ordered.view(OWNER).every(Scenario, {"subject": SCENARIO})[0]
    with zipfile.ZipFile(io.BytesIO(starter_kit(base, kept, "acme"))) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert {"app.py", "application.yaml", "world.py", "world.yaml"} <= names and "sealed/notes.txt" not in names
    ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    assert ordered.work() == [("rehearse", "done")]
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    assert ordered.work() == [("freeze", "done")]
    ordered.do(PLANNER, Act.TRIAL_QUEUE)
    assert ordered.work() == [("trial", "done")]
    assert ordered.view(OWNER).load(ordered.record().documents["report"], Report).verdict is Verdict.ACCEPT
    ordered.accept()
    assert ordered.work() == [("certificate", "done")]
    issued = ordered.view(SUPPLIER).load(ordered.record().documents["certificate"], IssuedCertificate)
    assert issued.certificate.verdict is Verdict.ACCEPT
