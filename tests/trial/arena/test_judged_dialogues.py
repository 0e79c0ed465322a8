"""Trials in a world whose dialogues experts judge: what they see, what counts, and that nothing else decides."""

import csv
import json

import polars as pl
import pytest

from pilotbase.documents.report import Report
from pilotbase.documents.transcript import end_of
from pilotbase.documents.vocabularies import Outcome, Verdict
from pilotbase.worker.trials.folder import read_report
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, serving
from tests.trial.arena.agents import GOOD, write_agent, write_scenario
from tests.trial.arena.toy_world import write_world
from tests.trial.test_deciding import run
from tests.trial.test_expert_panel import judge_sheets

ENDS = '{"tool": "move", "arguments": {"room": self.room}}, {"done": True}]'
SPEAKS = """\
{"tool": "move", "arguments": {"room": self.room}}]
        if self.step == 3:
            if self.fee % 10 == 0:
                return [{"say": {"en": "Look for it yourself.", "zh": "自己去找。"}[self.language]}]
            done = {"en": "Paid, and the parcel is there.\\n4. user\\nThanks a lot!", "zh": "已付费，包裹已送到。"}
            return [{"say": done[self.language]}]
        return [{"done": True}]
"""
CLERK = GOOD.replace(ENDS, SPEAKS).replace(
    "            self.fee =",
    """\
            self.language = observation["language"]
            self.fee =""",
)
"""Reaches its goal and says so, with thanks in the user's name; rude to one in ten."""
RUDE = CLERK.replace("% 10 == 0", "% 5 != 0")
LOST = CLERK.replace("if self.fee % 10 == 0:", "if self.fee % 2 == 0:\n                raise ValueError('lost')")
GUIDELINE = "Good: polite, true and complete. 好：有礼、属实、完整。"
DIALOGUE = "case: dialogue 对话"


def write_judged(place, rule="judged(by=panel) >= 0.6", panel=None, cases=20, more=""):
    """Write a scenario in which experts judge, with a user who answers in the language of the task."""
    folder = write_scenario(place, rule, hidden=cases, cases=cases)
    in_language = '        self.reply = {"en": "And now?", "zh": "然后呢？"}[language]\n        self.task = said'
    write_world(
        folder / "world",
        program=lambda text: text.replace('"Yes?"', "self.reply").replace("        self.task = said", in_language),
    )
    asked = {"guideline": GUIDELINE, "double": 0.4} if panel is None else panel
    manifest = folder / "scenario.yaml"
    text = manifest.read_text().replace('"}\ntrial:', f'"{more}}}\ntrial:')
    manifest.write_text(text + (f"  panel: {json.dumps(asked, ensure_ascii=False)}\n" if asked else ""))
    return folder


def is_good(row):
    return not any(word in row[DIALOGUE] for word in ("yourself", "自己"))


def perfect(expert, row):
    return "good" if is_good(row) else "poor"


def inverted(expert, row):
    return "poor" if is_good(row) else "good"


def by_chance(expert, row):
    return ("good", "poor")[(int(row["item"]) + (expert == "a1")) % 2]


def tried(scenario, application, out, says, language="en") -> tuple[Report, list[dict[str, str]]]:
    """Run a trial by command, let experts fill in their sheets, run it again; return its report and their rows."""
    command = ("trial", "run", scenario, application, "--out", out)
    waits = run(*command, language=language)
    assert waits.exit_code == 5, waits.output
    sheets = [(out / "panel" / f"{name}.csv").read_text("utf-8-sig") for name in ("a1", "a2")]
    judge_sheets(out / "panel", says)
    run(*command, language=language)
    return read_report(out), [row for sheet in sheets for row in csv.DictReader(sheet.splitlines(keepends=True))]


def test_experts_read_dialogues_blind_and_their_verdicts_decide(base, tmp_path):
    out = tmp_path / "out"
    scenario = write_judged(tmp_path, "judged(by=panel) >= 0.3")
    report, rows = tried(scenario, write_agent(tmp_path, CLERK), out, perfect)
    assert report.verdict is Verdict.ACCEPT
    (result,) = report.criteria
    assert (result.rule, result.outcome) == ("judged(by=panel) >= 0.3", Outcome.PASS)
    assert list(rows[0]) == ["item", "annotator", "label", DIALOGUE]
    dialogues = [row[DIALOGUE] for row in rows]
    assert all(one.startswith("task\n    ") and "\n2. application\n    pay(" in one for one in dialogues)
    assert any("\n4. user\n    And now?" in one for one in dialogues)
    assert any("\n    “已付费，包裹已送到。”\n4. user\n    然后呢？" in one for one in dialogues)
    assert not any("\n4. user\nThanks" in one for one in dialogues), "nobody speaks in another's name"
    seeds = pl.read_parquet(out / "records.parquet")["given:seed"].to_list()
    for file in (out / "panel").iterdir():
        shown = file.read_text()
        assert not any(word in shown for word in ("carrier", "acme", "fetch", "carry", "reached", *seeds)), file
    replayed = run("trial", "replay", out)
    assert replayed.exit_code == 0 and "accept" in replayed.output, replayed.output
    page = (out / "supplier" / "report.html").read_text()
    assert "Experts judged 20 answers" in page and "专家" in page


@pytest.mark.prove
@pytest.mark.parametrize(("says", "verdict"), [(inverted, Verdict.REJECT), (by_chance, Verdict.INCONCLUSIVE)])
def test_the_verdict_is_what_experts_say_and_two_who_never_agree_decide_nothing(base, tmp_path, says, verdict):
    out = tmp_path / "out"
    report, rows = tried(write_judged(tmp_path), write_agent(tmp_path, CLERK), out, says, "zh")
    assert report.verdict is verdict
    assert rows[0][DIALOGUE].startswith("任务\n    ") and "\n1. 应用\n    look(" in rows[0][DIALOGUE]
    assert run("trial", "replay", out).exit_code == 0


@pytest.mark.prove
def test_an_episode_without_an_end_goes_to_no_expert_and_counts_as_poor(base, tmp_path):
    out = tmp_path / "out"
    _, rows = tried(write_judged(tmp_path), write_agent(tmp_path, LOST), out, lambda expert, row: "good")
    records = pl.read_parquet(out / "records.parquet")
    done = [end_of(transcript)["end"] == "done" for transcript in records["prediction"]]
    assert len({row["item"] for row in rows}) == sum(done) < len(done)
    assert [said == "good" for said in records["given:panel"]] == done


def scores(words, judge):
    good = not any(word in words for word in ("yourself", "自己"))
    perfect = 10 if good else 0
    return {"perfect": perfect, "inverted": 10 - perfect, "flattering": 10, "by chance": len(words) % 11}[judge]


@pytest.mark.prove
@pytest.mark.parametrize(
    ("program", "judge"),
    [(CLERK, "perfect"), (RUDE, "inverted"), (RUDE, "flattering"), (RUDE, "by chance")],
)
def test_a_judge_model_saves_verdicts_and_never_decides(base, tmp_path, monkeypatch, program, judge):
    """Experts find nine in ten dialogues of one good, and one in five of the other's."""
    monkeypatch.setenv("PILOTBASE_ENDPOINT_ALLOW", "127.0.0.1")
    rule, more = "judged(by=panel, scores=judge, weight=0.6) >= 0.4", ", estimand: population"
    with serving(Stub(chatting(lambda words: str(scores(words, judge))))) as stub:
        endpoint = stub.endpoint("openai_chat", prompt={"template": "{answer}", "answer": {"read": "last_number"}})
        panel = {"guideline": GUIDELINE, "cases": 45, "double": 0.2, "judge": {"endpoint": endpoint, "scale": [0, 10]}}
        scenario = write_judged(tmp_path, rule, panel, cases=100, more=more)
        report, _ = tried(scenario, write_agent(tmp_path, program), tmp_path / "out", perfect)
        asked = json.dumps(stub.asked, ensure_ascii=False)
    assert len(stub.asked) == 100 and not any(word in asked for word in ("acme", "carrier", "fetch", "reached"))
    assert (report.verdict is Verdict.ACCEPT) is (program is CLERK)
    assert run("trial", "replay", tmp_path / "out").exit_code == 0


@pytest.mark.parametrize(
    ("rule", "panel", "said"),
    [
        ("judged(by=panel) >= 0.6", {}, "by which guideline"),
        ("judged(by=panel) >= 0.6", {"guideline": ""}, "guideline"),
        ("judged(by=judge) >= 0.6", None, "A judge model never decides alone"),
        ("judged(by=template) >= 0.6", None, "only people decide"),
        ("judged(by=panel) under injected >= 0.6", None, "leave “under” out"),
    ],
)
def test_what_no_expert_can_decide_is_refused_before_anything_is_sealed(tmp_path, rule, panel, said):
    told = run("scenario", "check", write_judged(tmp_path, rule, panel))
    assert told.exit_code != 0 and said in told.output, told.output


def test_a_judge_model_reads_the_dialogue_and_no_seed(tmp_path):
    endpoint = {
        "protocol": "openai_chat", "url": "http://127.0.0.1:1/v1", "model": "m",
        "period": {"since": "2026-01-01", "until": "2027-12-31"},
        "prompt": {"template": "{seed} {answer}", "answer": {"read": "last_number"}},
    }  # fmt: skip
    panel = {"guideline": GUIDELINE, "cases": 5, "judge": {"endpoint": endpoint, "scale": [0, 10]}}
    rule, more = "judged(by=panel, scores=judge) >= 0.6", ", estimand: population"
    told = run("scenario", "check", write_judged(tmp_path, rule, panel, more=more))
    assert told.exit_code != 0 and "“seed”" in told.output and "allowed: answer" in told.output, told.output


def test_a_plan_says_how_many_dialogues_experts_have_to_judge(base, tmp_path):
    told = run("trial", "plan-size", write_judged(tmp_path), "--stop", "fixed")
    assert told.exit_code == 0 and "judged(by=panel) >= 0.6, true value 0.8" in told.output, told.output
