"""Whether a model has met the cases: what it recites, what stands in training texts, and what chance alone would do."""

import json
import random

import pytest

from pilotbase.evidence.distributions import hypergeometric_tail
from pilotbase.sandbox.endpoints import asking
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.trial.probes.contamination import shared_runs
from tests.cli.test_command_line import run
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, nobody, serving
from tests.trial.endpoints_for_tests import writing_endpoint

ENGLISH = "pump valve turbine shift gauge rust bolt crane furnace relay pressure night oil filter alarm noise heat"
CHINESE = "水泵阀门汽轮机夜班仪表锈蚀螺栓吊车炉子继电器压力油滤网警报噪声温度检修停机更换管道振动轴承"


def sentence(draw, language):
    if language == "en":
        return " ".join(draw.choice(ENGLISH.split()) for _ in range(30)) + "."
    return "".join(draw.choice(CHINESE) for _ in range(60)) + "。"


def texts(seed, language, count=30):
    draw = random.Random(seed)
    return [sentence(draw, language) for _ in range(count)]


@pytest.fixture
def table(tmp_path):
    def write(name, rows):
        path = tmp_path / name
        path.write_text("case,question\n" + "".join(f'{number},"{row}"\n' for number, row in enumerate(rows)))
        return path

    return write


@pytest.fixture
def endpoint(tmp_path, monkeypatch):
    """Serve a model that goes on with what it has met, as it stands or with other punctuation, and babbles else."""
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    met: list[str] = []

    def say(words):
        beginning = words.rpartition("\n\n")[2]
        known = next((one for one in met if one.startswith(beginning)), None)
        return "I do not know this text." if known is None else known[len(beginning) :].replace(" ", ", ").upper()

    with serving(Stub(chatting(say))) as stub:
        prompt = {"template": "{question}", "system": "You answer questions."}
        yield met, writing_endpoint(tmp_path)(stub.endpoint("openai_chat", prompt=prompt)), stub


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_model_that_has_met_the_cases_recites_them_in_either_language(table, endpoint, language):
    met, folder, stub = endpoint
    cases, control = texts(1, language), texts(2, language)
    met += cases[:20]
    files = table("cases.csv", cases), "--ask", folder, "--control", table("control.csv", control)
    found = json.loads(run("trial", "contamination", *files, "--json").stdout)["recited"]
    assert (found["cases"], found["recited"], found["control_recited"]) == (30, 20, 0)
    assert found["chance"] < 1e-6
    asked = stub.asked[0]["messages"]
    assert len(asked) == 1 and "逐字续写" in asked[0]["content"], "our prompt, not the supplier's"
    assert not any(case[len(case) // 2 + 1 :] in json.dumps(stub.asked, ensure_ascii=False) for case in cases)
    met.clear()
    told = run("trial", "contamination", *files, language="zh")
    assert "背出 0 个" in told.stdout and "没有查到不能证明什么" in told.stdout


def test_standing_phrases_are_told_from_memory_by_the_control(table, endpoint):
    met, folder, _ = endpoint
    phrase = " please call the control room before you open the valve and wait for the answer of the shift"
    cases, control = ([one[: len(phrase)] + phrase for one in texts(seed, "en")] for seed in (3, 4))
    met += [*cases, *control]
    files = table("cases.csv", cases), "--ask", folder, "--control", table("control.csv", control)
    found = json.loads(run("trial", "contamination", *files, "--json").stdout)["recited"]
    assert found["recited"] == found["control_recited"] == 30 and found["chance"] == 1
    told = run("trial", "contamination", *files[:3])
    assert "Without a control" in told.stdout


def test_cases_that_stand_in_training_texts_are_found_whatever_width_and_blanks(tmp_path, table):
    cases = [*texts(5, "en", 10), *texts(5, "zh", 10), "too short"]
    full_width = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in cases[3])
    corpus = tmp_path / "corpus.txt"
    corpus.write_text(
        "\n".join(["Some other text.", full_width, cases[12].replace("，", ""), cases[13][:30], "x" * 500])
    )
    told = run("trial", "contamination", table("cases.csv", cases), "--trained-on", corpus, "--json")
    assert json.loads(told.stdout)["texts"] == {"cases": 21, "too_short": 1, "shared": 3, "mostly": 2}
    assert shared_runs(cases, [" ".join(texts(99, "en", 200))]).shared == 0


def test_the_exact_test_is_the_hypergeometric_tail():
    assert hypergeometric_tail(3, 3, 6, 3) == pytest.approx(1 / 20)
    assert hypergeometric_tail(0, 5, 10, 2) == 1
    assert hypergeometric_tail(2, 4, 8, 3) == pytest.approx((6 * 4 + 4) / 56)


def test_what_cannot_be_asked_says_why(table, tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.01)
    cases = table("cases.csv", texts(1, "en"))
    assert "--trained-on" in run("trial", "contamination", cases).stderr
    stub = Stub(chatting(str))
    stub.url = nobody()
    there_is_none = writing_endpoint(tmp_path)(stub.endpoint("openai_chat", prompt={"template": "{question}"}))
    told = run("trial", "contamination", cases, "--ask", there_is_none)
    assert told.exit_code == 5 and "could not be asked" in told.stderr
    tabular = writing_endpoint(tmp_path)(stub.endpoint(), "tabular")
    assert "tabular is not a text endpoint" in run("trial", "contamination", cases, "--ask", tabular).stderr
    assert "question" in run("trial", "contamination", cases, "--column", "qestion", "--ask", tabular).stderr
