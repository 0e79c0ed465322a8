"""The plan stands where it is approved, frozen and paid for: criteria in words, data, cases, α, limits, by whom."""

from pilotbase.documents.permissions import Act
from tests.catalogue.records_for_tests import (
    COMMISSION,
    DESK,
    OWNER,
    PLANNER,
    SCENARIO,
    Reviewer,
    approval,
    proposal,
    scenario,
)
from tests.hub.worlds_for_tests import world

CHINESE = {"HTTP_ACCEPT_LANGUAGE": "zh-hans"}
SAID = {
    "en": (
        "The plan",
        "Recall of “broken” at least",
        "Institute",
        "α = 0.05",
        "1 GiB",
        "own namespaces",
        "keeps secret",
    ),
    "zh": ("测试方案", "错误率", "α = 0.05", "隔离", "1 GiB", "沙箱限制", "由基地保密"),
}


def page(world, who, path, language="en"):
    answer = world.client(who).get(path, **(CHINESE if language == "zh" else {}))
    assert answer.status_code == 200, (who, path)
    return answer.content.decode()


def part(text):
    """Return the plan's card on a page; empty where there is none."""
    return text.partition('id="plan"')[2].partition("</section>")[0]


def test_the_plan_is_on_every_page_on_which_somebody_decides_on_it(one_world):
    trial = one_world.trial
    trial.reach("agreed")
    assert part(page(one_world, "owner", "/trials/c1/")) == "", "there is none yet"
    trial.do(OWNER, COMMISSION, Act.APPROVAL_FILE, approval(None))
    trial.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="institute", person="p-reviewer"))
    remarked = proposal(trial.scenario, trial.version).model_copy(update={"remarks": "Night shifts only."})
    trial.do(PLANNER, COMMISSION, Act.PLAN_DRAFT, remarked)
    for language, words in SAID.items():
        for path in ("/trials/c1/", "/trials/c1/acts/plan.approve/", "/trials/c1/acts/plan.return/"):
            found = part(page(one_world, "reviewer", path, language))
            for said in (*words[:2], *words[3:], "recall(broken) &gt;= 0.80", "Night shifts only."):
                assert said in found, (language, path, said)
    for who in ("owner", "supplier", "desk"):
        assert "recall(broken)" in part(page(one_world, who, "/trials/c1/")), who
    trial.approve()
    assert "Institute" in part(page(one_world, "planner", "/trials/c1/acts/plan.freeze/"))
    trial.order_freeze()
    trial.freeze()
    frozen = part(page(one_world, "planner", "/trials/c1/acts/trial.queue/"))
    assert "The hidden cases hold" in frozen
    assert "1,000 of the 5,000 hidden cases" in frozen
    assert trial.plan.order_commitment in frozen, "the order is committed to"
    for step in (trial.queue, trial.start, trial.hold):
        step()
    assert "1,000 of the 5,000 hidden cases" in part(page(one_world, "supplier", "/trials/c1/acts/consent.give/"))


def test_cases_that_come_in_time_are_no_secret_and_the_plan_says_so(tmp_path):
    with world(tmp_path) as made:
        trial = made.trial
        data = {
            **scenario().data.to_json_value(),
            "fields": [{"name": "day", "dataType": "sc:Date"}, {"name": "failure", "dataType": "sc:Text"}],
            "split": {"method": "time", "column": "day", "hidden_from": "2026-01-01"},
        }
        trial.scenario = scenario(data=data, trial={"delivery": "in_time"})
        trial.reach("agreed")
        trial.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="institute", person="p-reviewer"))
        trial.do(PLANNER, COMMISSION, Act.PLAN_DRAFT, proposal(trial.scenario, trial.version))
        for language, said in (("en", "In order of day"), ("zh", "依 day 的次序")):
            assert said in part(page(made, "owner", "/trials/c1/", language))


def test_what_differs_from_the_scenario_is_marked_where_the_plan_is_approved(tmp_path):
    with world(tmp_path) as made:
        trial = made.trial
        trial.reach("plan_review")
        approve = "/trials/c1/acts/plan.approve/"
        assert "This plan matches" in part(page(made, "reviewer", approve))
        later = scenario(criteria=[{"rule": "recall(broken) >= 0.90"}], trial={"attempts": 7})
        trial.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, later)
        for language, differs, alone in (("en", "has changed", "not in the plan"), ("zh", "已标出", "方案中没有")):
            found = part(page(made, "owner", "/trials/c1/", language))
            assert differs in found and alone in found, language
        assert "at least 0.900" in part(page(made, "owner", "/trials/c1/"))
        assert "recall(broken) &gt;= 0.80" in found and "7" in found.partition("场景现行")[2]
