"""An owner is told of each use of its data, once, and of whom was refused: in the daily mail, if nobody chose else."""

import pytest

from pilotbase.data.terms.gate import permit
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.subjects import record_head
from pilotbase.notices.mails import DEFAULT
from pilotbase.notices.rows import list_notices
from tests.catalogue.agreements_for_tests import DATASET, agree, dataset, publish
from tests.catalogue.records_for_tests import DESK, OTHER_OWNER, OTHER_SUPPLIER, OWNER, SUPPLIER, digest
from tests.hub.test_contribution_pages import ASKED


def use(told, who, name):
    permit(told.view(who), ASKED.model_copy(update={"by": who.organisation}), digest(name))


def said(told, who, language="en"):
    while told.noticing.tell_uses():
        pass
    found = [one for one in list_notices(told.view(who))[0] if one.kind == "data"]
    return [(one.subject, one.body.title.en, one.sentence.render(language)) for one in reversed(found)]


def test_an_owner_is_told_of_each_use_once_and_of_a_refusal_once_a_day(any_told):
    agree(any_told.trial, publish(any_told.trial, dataset()))
    use(any_told, SUPPLIER, "first")
    use(any_told, SUPPLIER, "first")
    use(any_told, OWNER, "own")
    first = (
        DATASET,
        "Spindle logs",
        "acme used the data. Purpose: trials of applications. Output: report of a trial. Rows: 10",
    )
    assert said(any_told, OWNER) == [first]
    for number in range(9):
        with pytest.raises(RefusedError):
            use(any_told, OTHER_SUPPLIER, f"refused {number}")
    use(any_told, SUPPLIER, "second")
    refused = (DATASET, "Spindle logs", "globex was refused (report of a trial): no agreement is in force")
    assert said(any_told, OWNER) == [first, refused, first]
    assert said(any_told, OWNER, "zh")[1][2] == "globex 的请求被拒绝（中试报告）：没有生效的合约"
    assert said(any_told, SUPPLIER) == said(any_told, OTHER_OWNER) == said(any_told, DESK) == []
    assert DEFAULT == "daily"


def test_of_a_plan_between_owner_and_supplier_the_owner_of_the_scenario_is_told(any_told):
    trial = any_told.trial
    trial.reach("frozen")
    paper = trial.plan.digest()
    permit(any_told.view(SUPPLIER), ASKED.model_copy(update={"target": paper}), digest("paper"))
    ((subject, _, sentence),) = said(any_told, OWNER)
    assert subject == "scenario:plant/milling" and sentence.startswith("acme used the data")
    assert any_told.view(OWNER).head(record_head(subject)), "a notice about what the owner does not see is not shown"
