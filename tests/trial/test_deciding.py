"""Verdicts from recorded answers: the trial's engine by command, simulations, and what is refused."""

import json
import random

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.errors import InputError
from pilotbase.trial.deciding import Overrides, decide_recorded, read_decision_plan
from pilotbase.trial.recorded_cases import read_recorded_cases

PLAN = """
criteria: [accuracy >= 0.9]
prediction: {kind: label, classes: [broken, fine], positive: broken}
"""


def run(*arguments, language="en"):
    result = CliRunner(env={"PILOTBASE_LANGUAGE": language}).invoke(app, [str(part) for part in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def write(tmp_path):
    def write(plan=PLAN, rows=(), header="case,truth,prediction", name="cases.csv"):
        (tmp_path / "plan.yaml").write_text(plan)
        (tmp_path / name).write_bytes("\n".join([header, *rows, ""]).encode())
        return tmp_path / "plan.yaml", tmp_path / name

    return write


def answers(cases: int, wrong: int, broken: int | None = None) -> list[str]:
    """Return rows of which ``wrong`` are answered wrongly, spread over both classes."""
    broken = cases // 2 if broken is None else broken
    truth = ["broken"] * broken + ["fine"] * (cases - broken)
    random.Random(3).shuffle(truth)
    other = {"broken": "fine", "fine": "broken"}
    return [f"c{i},{label},{other[label] if i < wrong else label}" for i, label in enumerate(truth)]


def decisions(plan, cases, **options):
    read = read_decision_plan(plan, Overrides(**{k: v for k, v in options.items() if k not in ("seed", "repeat")}))
    return decide_recorded(read, read_recorded_cases(cases, read), options.get("seed", 0), options.get("repeat", 1))


def test_a_single_decision_says_all_and_exits_by_its_verdict(write):
    plan, cases = write(rows=answers(400, 8))
    result = run("trial", "decide", plan, cases, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert found["verdicts"] == ["accept"]
    (criterion,) = found["decisions"][0]["criteria"]
    assert criterion["lower"] >= 0.9
    assert criterion["used"] == criterion["decided_at"] == found["decisions"][0]["scored"] < 400
    assert found["level"] == pytest.approx(0.025)
    assert run("trial", "decide", *write(rows=answers(400, 100))).exit_code == 3
    assert run("trial", "decide", *write(rows=answers(400, 36)), "--design", "fixed:50").exit_code == 4


def test_golden_decision_never_changes(write):
    """The order of a seed, the engine and the digest are promises to whoever simulates."""
    plan, cases = write(rows=answers(400, 8))
    (decision,) = decisions(plan, cases, seed=7).decisions
    assert (decision.verdict.value, decision.scored) == GOLDEN[:2]
    assert decision.digest == GOLDEN[2]


@pytest.mark.prove
def test_simulated_false_accepts_and_rejects_stay_below_alpha(write):
    """One right answer fewer than the threshold asks for; then exactly as many."""
    below = decisions(*write(rows=answers(200, 21)), alpha=0.2, repeat=1000)
    assert below.counts["accept"] <= 100 + 3 * 9.5  # level 0.1, three standard deviations
    assert below.counts["accept"] > 5
    at = decisions(*write(rows=answers(200, 20)), alpha=0.2, repeat=1000)
    assert at.counts["reject"] <= 100 + 3 * 9.5
    assert at.counts["accept"] + at.counts["reject"] == 1000, "a hidden set that is scored whole always decides"


def test_how_far_many_seeds_are_is_told(write):
    plan, cases = write(rows=answers(300, 25))
    read = read_decision_plan(plan, Overrides())
    told = []
    decide_recorded(read, read_recorded_cases(cases, read), 0, 4, told.append)
    assert [(step.done, step.total) for step in told] == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_seeds_are_one_after_the_other_and_repeat(write):
    files = write(rows=answers(300, 25))
    many = decisions(*files, seed=5, repeat=4)
    assert [item.seed for item in many.decisions] == [5, 6, 7, 8]
    single = decisions(*files, seed=7)
    assert single.decisions[0].scored == many.decisions[2].scored
    assert [item.decided_at for item in single.decisions[0].criteria] == [
        item.decided_at for item in many.decisions[2].criteria
    ]
    assert run("trial", "decide", *files, "--repeat", 3).exit_code == 0


def test_designs_and_attempts_are_honoured(write):
    files = write(rows=answers(400, 0))
    population = PLAN.replace("[accuracy >= 0.9]", "[{rule: accuracy >= 0.9, estimand: population}]")
    early = decisions(*write(population, answers(400, 0)), alpha=0.1)
    fixed = decisions(*files, alpha=0.1, design="fixed:29")
    assert (early.decisions[0].scored, early.verdicts[0].value) == (55, "accept"), "statistics.md: 55 at any time"
    assert (fixed.decisions[0].scored, fixed.verdicts[0].value) == (29, "accept"), "and 29 at a fixed number"
    assert decisions(*files, alpha=0.1, design="fixed:20").verdicts[0].value == "inconclusive"
    assert decisions(*files, design="full").decisions[0].scored == 400
    assert decisions(*files, attempt=3).level == pytest.approx(0.05 / 12)
    later = decisions(*files, attempt=3).decisions[0].scored
    assert later > decisions(*files).decisions[0].scored


@pytest.mark.prove
def test_clusters_are_counted_as_units_wherever_the_cases_name_them(write):
    """Ten cases of a patient are right or wrong together; one by one they would be ten witnesses (corrections, 7)."""
    plan = PLAN.replace("[accuracy >= 0.9]", "[{rule: accuracy >= 0.5, estimand: population}]")
    draw, accepted, naive = random.Random(11), 0, 0
    for seed in range(60):
        right = [draw.random() < 0.49 for _ in range(30)]
        rows = [f"c{i},broken,{'broken' if right[i // 20] else 'fine'},p{i // 20}" for i in range(600)]
        files = write(plan, rows, "case,truth,prediction,unit")
        accepted += decisions(*files, alpha=0.2, seed=seed).verdicts[0] == "accept"
        files = write(plan, [row.rpartition(",")[0] for row in rows])
        naive += decisions(*files, alpha=0.2, seed=seed).verdicts[0] == "accept"
    assert accepted <= 12
    assert naive >= 18, "the trap itself"


def test_groups_baselines_and_probabilities_are_read_by_name(write):
    plan = """
criteria: [brier <= 0.3, "gap(accuracy by site) <= 0.9", "worst(recall(b) by group) >= 0.1"]
prediction: {kind: probability, classes: [a, b], positive: b}
decision_threshold: 0.3
"""
    rows = [f"{i},{'ab'[i % 2]},{0.4 + 0.5 * (i % 2)},{'ns'[i // 2 % 2]},g{i % 3}" for i in range(120)]
    found = decisions(*write(plan, rows, "case,truth,prediction,site,group"), design="full")
    assert found.criteria[1] == "gap(accuracy(cut=0.3) by site) <= 0.9"
    assert [item.estimate for item in found.decisions[0].criteria] == [pytest.approx(0.085), 0.0, 1.0]


def test_too_many_groups_are_refused_before_every_pair_is_compared(write):
    plan = "criteria: [gap(accuracy by group) <= 0.5]"
    with pytest.raises(InputError) as caught:
        decisions(*write(plan, [f"{i},a,a,g{i % 201}" for i in range(402)], "case,truth,prediction,group"))
    assert "201 groups" in caught.value.render("en")


def test_answers_under_a_perturbation_are_columns(write):
    plan = "criteria: [accuracy >= 0.5, drop(accuracy under noise(0.10)) <= 0.2]"
    rows = [f"{i},{'ab'[i % 2]},{'ab'[i % 2]},{'ab'[(i + (i < 5)) % 2]}" for i in range(100)]
    found = decisions(*write(plan, rows, "case,truth,prediction,prediction@noise(0.1)"), design="full")
    assert found.decisions[0].criteria[1].estimate == pytest.approx(0.05)
    with pytest.raises(InputError) as caught:
        decisions(*write(plan, rows, "case,truth,prediction,other"))
    assert "prediction@noise(0.1)" in caught.value.render("en")


def test_criteria_on_a_run_are_left_out_and_named(write):
    plan = PLAN.replace("[accuracy >= 0.9]", "[accuracy >= 0.9, memory.peak <= 1 GiB]")
    files = write(plan, answers(400, 0))
    found = decisions(*files)
    assert found.left_out == ("memory.peak <= 1 GiB",)
    assert found.verdicts[0].value == "accept"
    assert "memory.peak" in run("trial", "decide", *files).stderr
    with pytest.raises(InputError, match="all are about a measured run"):
        decisions(*write(PLAN.replace("accuracy >= 0.9", "memory.peak <= 1 GiB"), answers(4, 0)))


@pytest.mark.parametrize(
    ("plan", "place"),
    [
        ("criteria: []", "criteria"),
        ("criteria: [accuracy]", "criteria[0]"),
        ("criteria: [accuracy >= 0.9]\nalpha: 2\nattempt: 0", "alpha"),
        ("criteria: [accuracy >= 0.9]\nprediction: words", "prediction.kind"),
        ("criteria: [accuracy >= 0.9]\ndesign: {stop: fixed}", "design"),
        ("criteria: [accuracy >= 0.9]\ncriterions: 1", "criterions"),
        ("[]", "plan.yaml"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_by_place(write, plan, place):
    with pytest.raises(InputError) as caught:
        decisions(*write(plan, answers(4, 0)))
    assert place in caught.value.render("en")
    assert caught.value.render("zh") != caught.value.render("en")


def test_every_problem_of_the_cases_is_named_at_once_with_its_line(write):
    rows = ["c1,broken,broken", "c1,fine,fnie", ',fine,"fi\nne"', "c4,,fine", "c5,odd,"]
    with pytest.raises(InputError) as caught:
        decisions(*write(rows=rows))
    places = [(issue.path, issue.line) for issue in caught.value.issues]
    assert places == [("case", 4), ("case", 3), ("truth", 6), ("truth", 7), ("prediction", 3), ("prediction", 4)]
    shown = caught.value.render("en")
    assert "fnie" in shown
    assert "broken, fine" in shown


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "cases.csv"),
        (b"case,truth,prediction\n", "cases.csv"),
        (b"id,truth\n1,fine\n", "prediction"),
        (b"case,truth,prediction\n1,fine\n", "cases.csv"),
        (b"case,truth,prediction,truth\n1,fine,fine,fine\n", "truth"),
        (b"\xff\xfec\x00a\x00", "no rows"),
        (b"case,truth,prediction\n1,fine,\xb2\n", "cases.csv"),
        (b"\x00\x01\x02", "cases.csv"),
    ],
)
def test_files_that_are_no_table_of_cases_are_refused_in_words(write, content, found):
    plan, cases = write()
    cases.write_bytes(content)
    result = run("trial", "decide", plan, cases)
    assert result.exit_code == 2
    assert found in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_spreadsheets_csv_reads_as_any_other(write, encoding):
    plain = decisions(*write(rows=answers(60, 3)))
    plan, cases = write(rows=answers(60, 3))
    quoted = "\r\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in cases.read_text().split())
    cases.write_bytes(f"{quoted}\r\n".encode(encoding))
    assert decisions(plan, cases) == plain


def test_numbers_out_of_range_are_named_and_many_are_counted(write):
    plan = "criteria: [brier <= 0.2]\nprediction: {kind: probability, classes: [a, b], positive: b}"
    rows = ["1,a,0.5", "2,b,1.5", "3,a,x", "4,b,inf", *(f"{i},a,-1" for i in range(5, 60))]
    with pytest.raises(InputError) as caught:
        decisions(*write(plan, rows))
    shown = caught.value.render("en")
    assert "x is not a finite number" in shown
    assert "1.5 is not between" in shown
    assert "and 36 more" in shown
    assert len(caught.value.issues) < 30


def test_a_frozen_plan_and_a_scenario_serve_as_plans(write, write_scenario):
    _, cases = write(rows=answers(300, 6))
    found = decisions(write_scenario(), cases)
    assert found.criteria == ("recall(broken) >= 0.7", "accuracy >= 0.7")
    assert found.left_out == ("memory.peak <= 512 MiB",)
    missing = run("trial", "decide", cases.parent / "nothing.json", cases)
    assert missing.exit_code == 2
    assert "nothing.json" in missing.stderr


@pytest.mark.parametrize("option", [("--design", "fixed:0"), ("--repeat", "0"), ("--attempt", "0"), ("--alpha", "1")])
def test_options_out_of_range_are_refused(write, option):
    result = run("trial", "decide", *write(rows=answers(40, 0)), *option)
    assert result.exit_code == 2
    assert result.stderr.strip()


def test_tables_speak_both_languages(write):
    files = write(rows=answers(100, 0))
    assert "通过" in run("trial", "decide", *files, language="zh").stdout
    assert "随机顺序" in run("trial", "decide", *files, "--repeat", 5, language="zh").stdout


GOLDEN = ("accept", 56, "sha256:5b2b51f3725deab3fe9187f161d7f432cc33b6528d9e7fa73adc89fb7a49b585")


def test_the_best_of_several_candidates_is_judged_at_a_share_of_the_level(write):
    rows = answers(400, 0)
    alone = decisions(*write(rows=rows))
    among = decisions(*write(PLAN + "candidates: 10\n", rows))
    assert (alone.candidates, among.candidates) == (1, 10)
    assert among.level == pytest.approx(alone.level / 10)
    assert among.decisions[0].scored > alone.decisions[0].scored


def test_a_ratio_of_clusters_is_bounded_while_no_cluster_is_known(write):
    plan = "criteria: [{rule: mase(cap=5) <= 1.67, unit: unit, estimand: population}]\nprediction: value\nalpha: 0.1"
    rows = ["1,-0.4,0.9,-0.32,1", "2,1.92,2.87,-2.73,0", "3,0.31,-0.39,-0.13,1", "4,-1.61,-2.88,-4.1,0"]
    written = write(plan, rows, header="case,truth,prediction,baseline,unit")
    for design in ("fixed:1", "early", "full"):
        (decision,) = decisions(*written, design=design, seed=3).decisions
        assert decision.verdict == "inconclusive"


FORMS = {
    "ranking": (
        "criteria: [top_k(k=2) >= 0.6]\nprediction: ranking",
        ["1,a,a|b|c", "2,b,c | b", "3,c,a|b|c", "4,c,"],
        {"top_k(k=2) >= 0.6": 2 / 4},
    ),
    "interval": (
        "criteria: [interval_coverage >= 0.6, interval_width(cap=10) <= 6]\nprediction: interval",
        ["1,1.5,1|2", "2,3,1 | 2.5", "3,3,"],
        {"interval_coverage >= 0.6": 1 / 3, "interval_width(cap=10) <= 6": (1 + 1.5 + 10) / 3},
    ),
    "text": (
        "criteria: [exact_match >= 0.6, cer <= 0.6]\nprediction: text",
        ["1,hello,hello", '2,abc,"abc "', '3,"a,b","a,b"', "4,x,"],
        {"exact_match >= 0.6": 2 / 4, "cer <= 0.6": 2 / 12},
    ),
    "refusal": (
        "criteria: [refusal_rate >= 0.6, over_refusal_rate <= 0.6, exact_match >= 0.1]\nprediction: text",
        ["1,hello,hello", "2,,", "3,,no", "4,x,"],
        {"refusal_rate >= 0.6": 1 / 2, "over_refusal_rate <= 0.6": 1 / 2, "exact_match >= 0.1": 1 / 2},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_texts_rankings_and_intervals_have_a_column_form(write, form):
    plan, rows, expected = FORMS[form]
    (decision,) = decisions(*write(plan, rows), design="full").decisions
    assert {found.rule: found.estimate for found in decision.criteria} == pytest.approx(expected)


def test_few_labels_serve_exact_match(write):
    plan = "criteria: [exact_match >= 0.5]\nprediction: text\nlabels: score"
    rows = [f"{i},{'yes' if i % 3 else ''},{'yes' if i % 5 else 'no'},{1 if i % 5 else 0}" for i in range(300)]
    (decision,) = decisions(*write(plan, rows, header="case,truth,prediction,score")).decisions
    assert decision.verdict == "accept"
    assert decision.scored < 100


@pytest.mark.parametrize(
    ("plan", "cell", "told"),
    [
        ("criteria: [top_k(k=2) >= 0.6]\nprediction: {kind: ranking, classes: [a, b]}", "a|x", "label x"),
        ("criteria: [interval_coverage >= 0.6, interval_width(cap=1) <= 1]\nprediction: interval", "2|1", "2|1 is no"),
        ("criteria: [interval_coverage >= 0.6, interval_width(cap=1) <= 1]\nprediction: interval", "1|2|3", "1|2|3 is"),
    ],
)
def test_a_cell_of_another_form_is_named(write, plan, cell, told):
    with pytest.raises(InputError) as refused:
        decisions(*write(plan, ["1,a,a", f"2,1,{cell}"] if "top" in plan else [f"1,1,{cell}"]))
    assert any(told in issue.problem.render("en") for issue in refused.value.issues)
