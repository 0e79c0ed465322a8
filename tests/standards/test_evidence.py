"""What comes after a trial: the evidence folder, whom a changed profile touches, checks of answers, the commands."""

import csv
import hashlib
import json

import pytest
from typer.testing import CliRunner

from pilotbase.certificate.revoking import affected_certificates
from pilotbase.cli import app
from pilotbase.documents.errors import InputError
from pilotbase.documents.standards import StandardCheck, StandardProfile
from pilotbase.documents.vocabularies import Conformity
from pilotbase.trial.standards import add_profile
from pilotbase.worker.intake.standard_checks import check_answers_for_keywords, check_two_reviewers
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.standards import label_files as made

OWN = {
    "document": "standard-profile/1",
    "name": "house-rules",
    "version": "1.0.0",
    "title": "House rules",
    "source": {"identifier": "PLANT 7", "title": "House rules", "status": "published", "read": "whole"},
    "requirements": [
        {"id": "alarms", "clause": "3.1", "asks": "Alarms are found.", "measure": ["recall"], "at_least": 0.6},
        {"id": "right", "clause": "3.2", "asks": "Most answers are right.", "measure": ["accuracy"], "at_least": 0.6},
        {"id": "labels", "clause": "4", "asks": "Files are labelled.", "evidence": "label-check", "at_least": 1},
        {"id": "filing", "clause": "5", "asks": "It is filed.", "evidence": "algorithm-filing"},
    ],
}


def changed(version, **thresholds):
    asked = [{**one, "at_least": thresholds.get(one["id"], one.get("at_least"))} for one in OWN["requirements"]]
    return StandardProfile.model_validate({**OWN, "version": version, "requirements": asked})


def command(*arguments):
    done = CliRunner().invoke(app, ["standard", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_after_a_trial(base, write_scenario, write_application, tmp_path, monkeypatch):
    """One trial for all of it: the evidence folder with a check's record, and two changes of the profile."""
    add_profile(base.lab.view, StandardProfile.model_validate(OWN))
    scenario = write_scenario(change=lambda text: text + "standards: [house-rules]\n")
    application = write_application()
    manifest = application / "application.yaml"
    manifest.write_text(manifest.read_text() + "evidence: [{kind: algorithm-filing, reference: '=No. 7'}]\n")
    trial = prove(base, scenario, application, tmp_path / "trial").folder
    assert replay_trial(trial).verdict == "accept"
    (tmp_path / "out.png").write_bytes(made.png_text(made.SOUND))
    assert command("labels", tmp_path / "out.png", "--out", tmp_path / "checks").exit_code == 0
    folder = tmp_path / "pack"
    done = command("evidence", trial, "--out", folder, "--with", tmp_path / "checks" / "label-check.json")
    assert done.exit_code == 0 and "0 of 4 requirements are not shown" in done.output, done.output
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    rows = list(csv.DictReader((folder / "2-self-assessment" / "conformity.csv").open(encoding="utf-8-sig")))
    assert [row["outcome"] for row in rows] == ["met"] * 4
    assert rows[2]["vouched_by"] == "base" and rows[0]["aligned_with"] == "PLANT 7"
    assert "'=No. 7" in (folder / "1-filings" / "filings.csv").read_text(), "a cell that would compute is disarmed"
    assert "合规材料包" in (folder / "README.md").read_text()
    assert {"plan.json", "report.json", "report.html", "certificate.json"} <= {
        one.name for one in (folder / "3-test-records").iterdir()
    }
    assert not list(folder.rglob("cases.csv")) and not list(folder.rglob("records.parquet"))
    assert command("evidence", trial, "--out", folder).exit_code == 2, "nothing is written over"

    now = base.lab.store.clock()
    laxer = affected_certificates(base.lab.view, changed("1.1.0", alarms=0.5), now)
    assert [one.touched for one in laxer] == [()] and not laxer[0].must_be_proven_again
    shown = affected_certificates(base.lab.view, changed("1.2.0", right=0.65), now)[0]
    assert [(one.change.name, one.outcome) for one in shown.touched] == [("right", Conformity.MET)]
    assert not shown.must_be_proven_again, "the criterion asked for 0.7"
    stricter = affected_certificates(base.lab.view, changed("2.0.0", right=0.9), now)[0]
    assert stricter.must_be_proven_again and stricter.version == "1.0.0"
    renamed = affected_certificates(base.lab.view, changed("1.0.0"), now)
    assert renamed == [], "the same version touches nobody"
    newer = tmp_path / "newer.yaml"
    newer.write_text(json.dumps(changed("2.0.0", right=0.9).to_json_value()))
    assert "must be proven again" in command("affected", newer).output
    assert "right: stricter" in command("diff", "house-rules", newer).output


def test_profiles_are_listed_and_shown_in_both_languages_without_a_base(monkeypatch, tmp_path):
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "none"))
    assert "generative-safety" in command("list").output
    shown = command("show", "generative-safety").output
    assert "aligned with TC260-003 (2024)" in shown and "off until turned on" in shown and "mandatory" in shown
    monkeypatch.setenv("PILOTBASE_LANGUAGE", "zh")
    assert "对标 GB 45438-2025" in command("show", "content-labels").output
    assert command("show", "nothing").exit_code == 2


def test_labels_that_are_lacking_end_with_3(tmp_path):
    (tmp_path / "a.png").write_bytes(made.WITHOUT["plain.png"])
    assert command("labels", tmp_path / "a.png").exit_code == 3
    (tmp_path / "a.png").write_bytes(made.png_text('{"Label": "1"}'))
    done = command("labels", tmp_path / "a.png")
    assert done.exit_code == 0 and "ContentProducer, ProduceID" in done.output


def test_keywords_are_found_whatever_their_case_and_width(tmp_path):
    (tmp_path / "words.txt").write_text("# a list\nBomb\n毒品\n", encoding="utf-8")
    answers = ["How to build a ＢＯＭＢ", "没有毒品", "bom", "harmless", ""]
    lines = [json.dumps({"answer": one}) for one in answers]
    (tmp_path / "answers.jsonl").write_text("\n".join(lines), encoding="utf-8")
    record = check_answers_for_keywords(tmp_path / "answers.jsonl", tmp_path / "words.txt", "answer")
    assert (record.sample, record.passed, record.words) == (5, 3, 2)
    assert [(one.kind, one.sample) for one in record.as_evidence()] == [("keyword-check", 5), ("keyword-list", 2)]
    with pytest.raises(InputError, match="has no said"):
        check_answers_for_keywords(tmp_path / "answers.jsonl", tmp_path / "words.txt", "said")


def test_what_two_reviewers_differ_on_is_not_in_order(tmp_path):
    rows = [("a", "pass", "pass"), ("b", "fail", "pass"), ("c", "fail", "fail"), ("d", "合格", "1")]
    table = "case,wang,li\n" + "\n".join(",".join(row) for row in rows) + "\n"
    (tmp_path / "reviews.csv").write_text(table, encoding="utf-8")
    record = check_two_reviewers(tmp_path / "reviews.csv")
    assert (record.sample, record.passed, record.reviewers) == (4, 2, ("wang", "li"))
    assert record.agreement == pytest.approx(0.5)
    assert StandardCheck.from_json_value(record.to_json_value()).digest() == record.digest()
    for wrong in ("case,wang\na,pass\n", table + "a,pass,pass\n", table.replace("fail", "perhaps")):
        (tmp_path / "reviews.csv").write_text(wrong, encoding="utf-8")
        with pytest.raises(InputError):
            check_two_reviewers(tmp_path / "reviews.csv")
