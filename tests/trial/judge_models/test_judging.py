"""A judge model by command: its scores are committed and corrected by people's labels; alone it proves nothing."""

import csv
import io
import json
import random
import shutil
from pathlib import Path

import pytest
import yaml

from pilotbase.documents.judge import Judge
from pilotbase.documents.loading import build_document
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.sandbox.endpoints import asking
from pilotbase.sandbox.endpoints.operator import KEYS_FILE
from pilotbase.trial.judge_models import folder as folders
from tests.cli.test_command_line import run
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, nobody, serving

DOCS = Path(__file__).resolve().parents[3] / "docs"
PROMPT = {
    "system": "You grade answers. 请评分。",
    "template": "Question: {question}\nTrue: {reference}\nAnswer: {answer}\nScore 0 to 10:",
    "answer": {"read": "last_number"},
}
COMPARING = {
    "template": "{question}\n1) {first}\n2) {second}\nHow much better is 1), 0 to 10?",
    "answer": {"read": "last_number"},
}


@pytest.fixture(autouse=True)
def loopback(monkeypatch):
    monkeypatch.setenv("PILOTBASE_ENDPOINT_ALLOW", "127.0.0.1")
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture
def asked(tmp_path):
    """Write what a judging needs, and run it."""

    def begin(stub, cases, label=20, prompt=PROMPT, more=(), language="en", **manifest):
        known = {"document": "judge/1", "endpoint": stub.endpoint("openai_chat", prompt=prompt), "scale": [0, 10]}
        judge = tmp_path / "judge.yaml"
        judge.write_text(yaml.safe_dump({"criteria": ["accuracy >= 0.8"], **known, **manifest}))
        table, out = tmp_path / "cases.csv", tmp_path / "judging"
        table.write_text(spell(cases))
        return out, run(
            "trial", "judge", table, "--judge", judge, "--label", label, "--out", out, *more, language=language
        )

    return begin


def spell(rows):
    written = io.StringIO()
    writer = csv.DictWriter(written, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def answers(count=60, wrong=6, none=0):
    """Return cases of which the last ``wrong`` are answered wrongly and the first ``none`` not at all."""
    return [
        {
            "case": f"c{i}",
            "question": f"第{i}题: {i}+1?",
            "reference": str(i + 1),
            "prediction": "" if i < none else str(i + 1 if i < count - wrong else -i),
        }
        for i in range(count)
    ]


def grading(flip=frozenset()):
    """Return a judge that compares answer and truth, and errs on the numbers in ``flip``."""

    def say(words):
        lines = dict(line.split(": ", 1) for line in words.splitlines() if ": " in line)
        right = lines["True"] == lines["Answer"]
        return f"I give {10 * (right is not (int(lines['True']) - 1 in flip))}"

    return chatting(say)


def filled(out, label, name="sheet-*.csv"):
    """Fill in every sheet with what ``label`` makes of its cells; return the files."""
    done = []
    for sheet in sorted(out.glob(name)):
        header, *rows = csv.reader(io.StringIO(sheet.read_text("utf-8-sig")))
        by_name = [
            {title.split()[0].rstrip(":"): cell for title, cell in zip(header, row, strict=True)} for row in rows
        ]
        path = out.parent / f"filled-{sheet.name}"
        path.write_text(spell([{"item": row["item"], "label": label(row)} for row in by_name]))
        done.append(path)
    return done


def by_truth(row):
    return "对" if row["answer"].lstrip("'") == row["reference"] else "wrong"


def calibrated(out, sheets):
    told = run("trial", "calibrate", out, *sheets, "--json")
    assert told.exit_code == 0, told.stderr
    return json.loads(told.stdout)


def test_a_judge_is_corrected_by_people_and_decided_by_the_trials_own_engine(asked):
    cases = answers(600, wrong=30, none=10)
    with serving(Stub(grading(flip={40, 41, 550, 599}))) as stub:
        out, told = asked(stub, cases, label=300)
    assert told.exit_code == 0, told.stderr
    assert len(stub.asked) == 590, "no answer is nothing to judge"
    assert "590 of 600" in told.stdout and "do not prove anything" in told.stdout
    (sheet,) = out.glob("sheet-*.csv")
    header = sheet.read_text("utf-8-sig").splitlines()[0]
    assert "score" not in header.lower() and "编号" in header and "label 标注" in header
    found = calibrated(out, filled(out, by_truth))
    assert found["labelled"] == found["drawn"] == 300
    assert found["agreement"] > 0.97 and found["kappa"] > 0.6
    assert found["alone"][0]["passes"] is True
    decided = run("trial", "decide", out, out / "cases.csv", "--order-seed", found["order_seed"], "--json")
    verdict = json.loads(decided.stdout)["decisions"][0]
    assert decided.exit_code == 0 and verdict["verdict"] == "accept" and verdict["scored"] <= 300
    assert verdict["criteria"][0]["lower"] >= 0.8
    assert found["commitment"] == json.loads((out / "judging.json").read_text())["commitment"]


def test_embeddings_judge_by_how_near_an_answer_lies_to_the_reference(asked):
    cases = answers(60, wrong=6, none=2)
    cases[2]["prediction"] = "?"

    def near(body):
        ways = {"?": [0.0, 0.0]}
        vectors = [ways.get(words) or [1.0, 10 if words.startswith("-") else 0.2] for words in body["input"]]
        return {"model": "e-1", "data": [{"index": i, "embedding": one} for i, one in enumerate(vectors)]}

    with serving(Stub(near)) as stub:
        meaning = {"template": "{answer}", "against": "{reference}"}
        endpoint = stub.endpoint("openai_embeddings", nearest=meaning)
        out, told = asked(stub, cases, label=60, endpoint=endpoint, scale=[0.5, 1])
        assert told.exit_code == 0, told.stderr
        assert sum(len(one["input"]) for one in stub.asked) == 2 * 58 and "57 of 60" in told.stdout
    found = calibrated(out, filled(out, lambda row: "对" if row["answer"].lstrip("'") == row["reference"] else "wrong"))
    assert found["alone"][0]["value"] == pytest.approx(51 / 60, abs=0.01), "unlike texts count as the scale's end"
    assert found["agreement"] == 1 and found["kappa"] == 1


def test_a_judge_that_is_too_kind_is_found_out(asked):
    with serving(Stub(chatting(lambda _: "10"))) as stub:
        out, _ = asked(stub, answers(300, wrong=120), label=150, weight=0.2)
    found = calibrated(out, filled(out, by_truth))
    assert found["alone"][0]["value"] == 1 and found["alone"][0]["passes"] is True
    assert found["bias"] > 0.2 and found["too_kind"] > 20 and found["kappa"] in (None, 0)
    decided = run("trial", "decide", out, out / "cases.csv", "--order-seed", found["order_seed"])
    assert decided.exit_code == 3, "people's labels refute what the judge would have let pass"
    told = run("trial", "calibrate", out, *filled(out, by_truth), language="zh")
    assert "这不是证据" in told.stdout and "kappa" in told.stdout


def test_what_a_judge_cannot_score_has_its_reason_and_the_manifests_score(asked):
    said = {
        "1": "8",
        "2": "",
        "3": "I'm sorry, I cannot judge this.",
        "4": "抱歉，我无法评判。",
        "5": "fine",
        "6": "77",
    }
    judge = chatting(lambda words: said.get(words.split("True: ")[1].split("\n")[0], "10"))
    with serving(Stub(judge)) as stub:
        out, told = asked(stub, answers(20, wrong=0), label=5, missing=0.25)
    scores = list(csv.reader(io.StringIO((out / "scores.csv").read_text().partition("\n")[2])))[1:]
    assert [row[1:3] for row in scores[:7]] == [
        ["0.8", ""], ["0.25", "silent"], ["0.25", "declined"], ["0.25", "declined"], ["0.25", "unreadable"],
        ["0.25", "outside"], ["1.0", ""],
    ]  # fmt: skip
    for reason in ("did not answer: 1", "declined: 2", "answer contains none", "outside the scale: 1"):
        assert reason in told.stdout
    found = calibrated(out, filled(out, by_truth))
    assert found["unscored"] == {"silent": 1, "declined": 2, "unreadable": 1, "outside": 1}


def test_a_judge_that_goes_away_is_gone_on_with_and_may_be_given_up(asked):
    away = {"from": 30}
    stub = Stub(grading(), lambda number: "status:500" if number >= away["from"] else "")
    cases = answers(60)
    with serving(stub):
        out, told = asked(stub, cases)
        assert told.exit_code == 1 and "is given" not in told.stdout
        assert "of 60 questions answered" in told.stderr
        assert not (out / "scores.csv").exists() and not list(out.glob("sheet-*"))
        kept = 32  # two batches; of the second the last two brought nothing after five attempts each
        assert f"{kept} of 60" in told.stderr
        away["from"] = 10**6
        before = len(stub.asked)
        _, again = asked(stub, cases)
        assert again.exit_code == 0, again.stderr
        asked_now = {str(one["messages"]) for one in stub.asked[before:]}  # one may be asked twice: its answer got lost
        assert len(asked_now) == 60 - kept, "what is committed is not asked again"
        shutil.rmtree(out)
        away["from"] = len(stub.asked) + 30
        _, given_up = asked(stub, cases, more=("--give-up",))
        assert given_up.exit_code == 0 and f"was no longer waited for: {60 - kept}" in given_up.stdout
        before, fixed = len(stub.asked), (out / "scores.csv").read_bytes()
        away["from"] = 10**6
        _, more = asked(stub, cases, label=30)
        assert more.exit_code == 0 and len(stub.asked) == before
        assert (out / "scores.csv").read_bytes() == fixed, "labels may have been seen"


def test_a_judge_that_is_not_there_says_so_in_both_languages(asked):
    stub = Stub(grading())
    stub.url = nobody()
    _, told = asked(stub, answers(20), label=5)
    assert told.exit_code == 1 and "0 of 20" in told.stderr
    _, told = asked(stub, answers(20), label=5, language="zh")
    assert "放弃询问评判模型" in told.stderr


def test_more_labels_are_drawn_in_the_same_order_and_sheets_are_never_written_over(asked):
    cases = answers(100)
    with serving(Stub(grading())) as stub:
        out, _ = asked(stub, cases, label=20)
        first = (out / "sheet-1-20.csv").read_bytes()
        asked(stub, cases, label=50)
        asked(stub, cases, label=30)
        assert len(stub.asked) == 100, "scores are fixed once"
    assert (out / "sheet-1-20.csv").read_bytes() == first
    assert sorted(path.name for path in out.glob("sheet-*")) == ["sheet-1-20.csv", "sheet-21-50.csv"]
    sheets = filled(out, by_truth)
    found = calibrated(out, sheets)
    assert found["labelled"] == 50
    part = calibrated(out, sheets[1:])
    assert (part["labelled"], part["left_out"]) == (0, 30), "behind an open case no label counts"


def test_labels_of_cases_that_somebody_chose_are_refused_all_at_once(asked, tmp_path):
    with serving(Stub(grading())) as stub:
        out, _ = asked(stub, answers(60), label=5)
    sheet = list(csv.DictReader(io.StringIO((out / "sheet-1-5.csv").read_text("utf-8-sig"))))
    drawn = [row["item 编号"] for row in sheet]
    other = next(f"c{i}" for i in range(60) if f"c{i}" not in drawn)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(f"item,label\n{other},right\n{drawn[0]},maybe\n{drawn[1]},right\n{drawn[1]},wrong\nx,right\n")
    told = run("trial", "calibrate", out, wrong)
    assert told.exit_code == 2
    for said in (
        f"{other} is not one of the drawn cases",
        "maybe is not a valid label",
        "two different labels",
        "x is not one of the drawn",
    ):
        assert said in told.stderr
    assert not (out / "cases.csv").exists()


def test_another_judge_or_altered_scores_are_refused(asked):
    cases = answers(40)
    with serving(Stub(grading())) as stub:
        out, _ = asked(stub, cases, label=10)
        _, told = asked(stub, cases, label=10, weight=0.1)
        assert told.exit_code == 2 and "by another judge" in told.stderr
        _, told = asked(stub, cases, label=41)
        assert told.exit_code == 2
    scores = out / "scores.csv"
    scores.write_text(scores.read_text().replace("1.0", "0.9", 1))
    told = run("trial", "calibrate", out, *filled(out, by_truth))
    assert told.exit_code == 3 and "altered" in told.stderr


def test_a_comparison_is_asked_in_both_orders_and_tells_how_the_order_sways_it(asked):
    cases = [{**row, "baseline": "wrong" if i < 30 else str(i + 1)} for i, row in enumerate(answers(60, wrong=15))]
    first_wins = chatting(lambda _: "9")
    with serving(Stub(first_wins)) as stub:
        out, told = asked(stub, cases, label=20, prompt=COMPARING, criteria=[{"rule": "accuracy >= 0.5"}])
    assert told.exit_code == 0, told.stderr
    assert len(stub.asked) == 120
    scores = list(csv.reader(io.StringIO((out / "scores.csv").read_text().partition("\n")[2])))[1:]
    assert {row[1] for row in scores} == {"0.5"}, "what stands first gains nothing"
    rows = list(csv.DictReader(io.StringIO((out / "sheet-1-20.csv").read_text("utf-8-sig"))))
    known = {row["case"]: row for row in cases}
    ours = [row["first 回答一"].lstrip("'") == known[row["item 编号"]]["prediction"] for row in rows]
    assert 0 < sum(ours) < 20, "people see the answers in an order of chance"

    def prefer_ours(row):
        return "1" if row["first"].lstrip("'") == known[row["item"]]["prediction"] else "2"

    found = calibrated(out, filled(out, prefer_ours))
    assert found["order_matters"] == 1.0
    decided = list(csv.DictReader(io.StringIO((out / "cases.csv").read_text())))
    same = {row["case"] for row in cases if row["prediction"] == row["baseline"]}
    assert all(row["truth"] in ("", "right") for row in decided if row["case"] not in same)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prompt": {"template": "{question}"}}, "{answer}"),
        ({"scale": [1, 1]}, "scale"),
        ({"criteria": [{"rule": "recall(right) >= 0.5"}]}, "accuracy and error_rate"),
        ({"prompt": {"template": "{answer} {context}"}}, "context"),
    ],
)
def test_a_manifest_that_cannot_judge_says_why(asked, change, said):
    stub = Stub(grading())
    stub.url = nobody()
    out, told = asked(stub, answers(10), label=5, **change)
    assert told.exit_code == 2 and said in told.stderr
    assert not folders.sheets_so_far(out)


def test_of_a_trials_records_truths_that_were_not_scored_are_not_shown_to_the_judge(asked):
    """They are others' truths: shuffled among what was not scored."""
    cases = [{"truth": row.pop("reference"), **row, "position": str(-(i % 2))} for i, row in enumerate(answers(10))]
    with serving(Stub(chatting(lambda _: "10"))) as stub:
        asked(stub, cases, label=5)
    shown = sorted(body["messages"][-1]["content"].split("True: ")[1].split("\n")[0] for body in stub.asked)
    assert shown == sorted(["1", "3", "5", "7", "9", *["–"] * 5])


def test_what_is_not_in_the_answers_table_may_stand_beside_it(asked, tmp_path):
    cases = [{"case": row["case"], "prediction": row["prediction"]} for row in answers(10)]
    other = tmp_path / "questions.csv"
    rows = [{name: row[name] for name in ("case", "question", "reference")} for row in answers(10)]
    random.Random(1).shuffle(rows)
    other.write_text(spell(rows))
    with serving(Stub(grading())) as stub:
        _, told = asked(stub, cases, label=5, more=("--beside", other))
        assert told.exit_code == 0 and len(stub.asked) == 10
        other.write_text(spell(rows[1:]))
        _, told = asked(stub, cases, label=5, more=("--beside", other))
    assert told.exit_code == 2 and "1 case has none" in told.stderr


def test_the_judges_key_is_the_operators_and_stands_in_no_file(asked, tmp_path, monkeypatch):
    keys = tmp_path / "keys.json"
    with serving(Stub(grading())) as stub:
        endpoint = stub.endpoint("openai_chat", prompt=PROMPT, key="GRADER")
        out, told = asked(stub, answers(10), label=5, endpoint=endpoint)
        assert told.exit_code == 5 and "@judge" in told.stderr and stub.asked == []
        keys.write_text(json.dumps({"@judge/GRADER": {"url": stub.url, "key": "hush-7"}}))
        keys.chmod(0o600)
        monkeypatch.setenv(KEYS_FILE, str(keys))
        out, told = asked(stub, answers(10), label=5, endpoint=endpoint)
        assert told.exit_code == 0, told.stderr
        assert {headers["authorization"] for headers in stub.headers} == {"Bearer hush-7"}
    assert not [path for path in out.iterdir() if b"hush-7" in path.read_bytes()]


@pytest.mark.parametrize("page", ["language-models.md", "language-models.zh.md"])
def test_the_judge_in_the_docs_can_be_used(page):
    block = (DOCS / page).read_text("utf-8").split("```yaml\n# judge.yaml\n")[1].split("```")[0]
    judge = build_document(Judge, parse_yaml(block.encode(), "judge.yaml"))
    assert judge.places == ("question", "reference", "answer") and not judge.compares
