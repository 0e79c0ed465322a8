"""Standards in a whole trial: what a clause asks for and nobody measures is refused; the report has the matrix."""

import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.standards import StandardProfile
from pilotbase.documents.vocabularies import Conformity, StandardStatus
from pilotbase.trial.standards import add_profile
from pilotbase.worker.trials.proving import freeze_in, prove

OWN = {
    "document": "standard-profile/1",
    "name": "house-rules",
    "version": "1.0.0",
    "title": "House rules",
    "source": {"identifier": "PLANT 7", "title": "House rules", "status": "draft", "read": "whole"},
    "includes": ["classification-performance"],
    "requirements": [
        {"id": "alarms", "clause": "3.1", "asks": "Alarms are found.", "mandatory": True, "measure": ["recall"],
         "at_least": 0.7},
        {"id": "groups", "clause": "3.2", "asks": "Groups are alike.", "measure": ["recall"], "wrapper": "gap",
         "at_most": 0.1},
        {"id": "plan", "clause": "4", "asks": "There is a plan.", "evidence": "incident-plan"},
        {"id": "filing", "clause": "5", "asks": "It is filed.", "evidence": "algorithm-filing"},
        {"id": "many", "asks": "Many cases.", "status": "remembered", "measure": ["accuracy"], "sample": 5000},
    ],
}  # fmt: skip


@pytest.fixture
def named(base, write_scenario):
    """Return a function that writes the small scenario with ``standards``, and its criteria changed."""
    add_profile(base.lab.view, StandardProfile.model_validate(OWN))

    def write(standards, change=lambda content: content, name="scenario"):
        return write_scenario(change=lambda text: change(text) + f"standards: {standards}\n", name=name)

    return write


def test_the_matrix_tells_what_was_measured_what_is_on_paper_and_what_is_lacking(base, named, write_application):
    application = write_application()
    manifest = application / "application.yaml"
    filed = "evidence: [{kind: algorithm-filing, reference: 'No. 7', until: 2020-01-01}]\n"
    manifest.write_text(manifest.read_text() + filed)
    use = "[{profile: house-rules, evidence: [{kind: incident-plan, reference: 'Plan 12'}]}]"
    proven = prove(base, named(use), application)
    rows = {row.requirement: row for row in proven.report.standards}
    assert rows["alarms"].outcome is Conformity.MET and rows["alarms"].lower is not None
    assert rows["groups"].outcome is Conformity.NOT_MEASURED
    assert rows["plan"].outcome is Conformity.MET and rows["plan"].vouched_by == "owner"
    assert rows["filing"].outcome is Conformity.EVIDENCE_LACKING, "it has run out"
    assert "many" not in rows, "a number that nobody has read is off"
    assert rows["class-measure"].outcome is Conformity.MET and rows["leakage"].outcome is Conformity.MET
    assert rows["representativeness"].outcome is Conformity.NOT_MEASURED
    assert rows["significance"].status is StandardStatus.REMEMBERED
    assert rows["alarms"].status is StandardStatus.DRAFT and rows["alarms"].clause == "3.1"
    seen = {row.requirement: row for row in proven.report.supplier_view().standards}
    assert seen["alarms"].outcome is Conformity.MET and seen["alarms"].lower is None
    page = (proven.folder / "report.html").read_text()
    assert "aligned with PLANT 7, 3.1" in page and "对标 ISO/IEC TS 4213:2022" in page
    assert "conformant" not in page


def test_a_plan_that_lacks_a_mandatory_measure_is_not_frozen(base, named, write_application):
    without = named("[house-rules]", lambda text: text.replace("  - {rule: recall(broken) >= 0.7}\n", ""))
    with pytest.raises(InputError) as refused:
        freeze_in(base, without, write_application())
    said = refused.value.render()
    assert "PLANT 7, 3.1 requires recall >= 0.7, but no criterion measures it" in said
    assert "ISO/IEC TS 4213:2022, 6 requires precision" in said
