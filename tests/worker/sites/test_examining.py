"""Reports that do not hold: each is refused, and told by the place where it does not."""

import base64
import json
from datetime import timedelta

import pytest

from pilotbase.certificate.trust import create_trust
from pilotbase.documents.errors import InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.vocabularies import Verdict
from pilotbase.worker.sites.enrolling import revoke_site
from pilotbase.worker.sites.papers import SiteReport, sign
from pilotbase.worker.sites.taking_back import take_back
from pilotbase.workspace.checks.proofs import ProvenEntry
from pilotbase.workspace.log.merkle import MerkleTree
from tests.worker.sites.homes_for_tests import at


def paper_of(trial) -> SiteReport:
    return trial.ran.released.paper


def changed(paper: SiteReport, **parts) -> SiteReport:
    """Return a report with parts of its parts replaced: ``report={"verdict": …}``."""
    return paper.model_copy(update={name: getattr(paper, name).model_copy(update=new) for name, new in parts.items()})


@pytest.fixture
def refused(done, base_before, tmp_path):
    """Return a function: hand in a report, signed by the site unless it is said by whom, and return what is told."""

    def hand_in(paper: SiteReport | bytes, trust=None, base=None) -> str:
        file = tmp_path / "returned.json"
        signed = paper if isinstance(paper, bytes) else sign(paper, trust or done.homes.site.trust).to_bytes()
        file.write_bytes(signed)
        size = base_before.lab.view.checkpoint().size
        with pytest.raises(PilotbaseError) as told:
            take_back(base or base_before, file, tmp_path / "out")
        assert isinstance(told.value, InvalidProofError | RefusedError)
        assert base_before.lab.view.checkpoint().size == size and not (tmp_path / "out").exists()
        assert told.value.render("zh") != told.value.render("en")
        return told.value.render("en")

    return hand_in


def test_an_edited_figure_breaks_the_signature_and_the_place_is_named(done, refused):
    envelope = json.loads(done.good.ran.file.read_bytes())
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["report"]["criteria"][0]["estimate"] = 0.99
    envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    told = refused(json.dumps(envelope).encode())
    assert "signature: no valid key of site plant-site" in told
    assert "release.report: differs from the documents" in told
    assert "release.plan" not in told and "excerpt" not in told


@pytest.mark.parametrize(
    ("part", "new", "places"),
    [
        ("report", {"verdict": Verdict.REJECT}, ["release.report", "report.verdict"]),
        ("report", {"records": None}, ["release.report", "report.records", "excerpt"]),
        ("plan", {"cases": 50}, ["release.plan", "report.plan", "excerpt", "report.attempt.alpha"]),
        ("plan", {"batch_rows": 7}, ["release.plan", "plan.batch_rows"]),
        ("plan", {"nonce": "0" * 32}, ["plan.nonce", "report.order"]),
        ("release", {"pack": "sha256:" + "0" * 64}, ["release.pack", "excerpt"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_even_the_site_has_altered_after_its_log_is_told_with_every_place(done, refused, part, new, places):
    told = refused(changed(paper_of(done.good), **{part: new}))
    for place in places:
        assert f"{place}: " in told, told
    assert "signature" not in told


def with_sentences(report, change):
    """Return a report whose first reason, and whose finding on the load, are replaced."""
    told = report.to_json_value()
    change(told)
    return type(report).model_validate(told)


def test_figures_that_are_none_and_sentences_of_its_own_are_told_and_break_nothing(done, refused):
    def figure(told):
        (load,) = [one for part in told["sections"] for one in part["findings"] if one["check"] == "load"]
        load["sentence"]["params"]["cases"] = "as many as you like"

    def sentence(told):
        told["reasons"][0] = {"code": "site.no_such_sentence", "params": {}}

    def channel(told):
        told["counts"]["case 17 is broken"] = 1

    paper = paper_of(done.good)
    for change, words in [
        (figure, "more than the owner releases"),
        (channel, "more than the owner releases"),
        (sentence, "site.no_such_sentence"),
    ]:
        report = with_sentences(paper.report, change)
        release = paper.release.model_copy(update={"report": report.digest()})
        assert words in refused(paper.model_copy(update={"report": report, "release": release}))


def test_a_site_that_logs_what_is_no_entry_is_refused_in_words(done, refused):
    key, paper = done.homes.site.lab.store.key, paper_of(done.good)
    leaf = b'{"no": "entry"}'
    checkpoint = key.sign(1, MerkleTree([leaf]).root())
    entry = ProvenEntry(number=0, entry=leaf.decode(), path=())
    excerpt = paper.excerpt.model_copy(update={"checkpoint": checkpoint.note, "entries": {"plan": entry}})
    assert "excerpt: " in refused(paper.model_copy(update={"excerpt": excerpt}))


def test_a_witness_that_was_replaced_is_not_the_one_in_the_log(done, refused):
    paper = paper_of(done.good)
    other = paper.release.witness.model_copy(update={"name": "Nobody"})
    assert "excerpt: " in refused(changed(paper, release={"witness": other}))


def test_a_report_on_another_application_does_not_answer_the_pack(done, refused):
    good, bad = paper_of(done.good), paper_of(done.bad)
    told = refused(good.model_copy(update={"report": bad.report, "plan": bad.plan}))
    for place in ("plan.application", "plan.nonce", "release.plan", "release.report", "excerpt"):
        assert f"{place}: " in told


def test_a_report_is_not_taken_for_another_pack(done, refused):
    told = refused(changed(paper_of(done.good), release={"nonce": paper_of(done.bad).release.nonce}))
    assert "release.pack: " in told and "plan.application: " in told


def test_a_report_on_another_scenario_is_refused(done, refused):
    paper = paper_of(done.good)
    other = paper.plan.scenario.model_copy(update={"digest": "sha256:" + "1" * 64})
    told = refused(changed(paper, plan={"scenario": other}))
    assert "plan.scenario: " in told and "report.scenario: " in told


def test_a_report_that_answers_no_pack_of_this_base_is_refused(done, refused):
    assert "this base did not send" in refused(changed(paper_of(done.good), release={"nonce": "f" * 32}))


def test_a_foreign_key_signs_nothing_for_a_site(done, refused, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    impostor = create_trust(keys, "plant-site", done.homes.site.lab.store.clock())
    told = refused(paper_of(done.good), trust=impostor)
    assert "signature: no valid key of site plant-site" in told and "excerpt" not in told


def test_nothing_of_a_revoked_site_is_taken(done, refused, base_before):
    revoke_site(base_before.lab.view, "plant-site", "the machine was sold")
    told = refused(done.good.ran.file.read_bytes())
    assert "site: site plant-site was revoked" in told and "the machine was sold" in told


def test_a_report_from_the_future_is_refused(done, refused, base_before):
    told = refused(done.good.ran.file.read_bytes(), base=at(base_before, -timedelta(hours=3)))
    assert "release.signed_at: " in told


def test_a_log_that_did_not_grow_from_where_it_was_seen_is_refused(done, refused):
    paper = paper_of(done.good)
    assert paper.growth
    assert "growth: " in refused(paper.model_copy(update={"growth": paper.growth[1:]}))


def test_a_report_that_gives_itself_another_attempt_is_told_by_its_level(done, refused):
    attempt = paper_of(done.bad).report.attempt.model_copy(update={"number": 1})
    told = refused(changed(paper_of(done.bad), report={"attempt": attempt}))
    assert "report.attempt.alpha: " in told and "release.report: " in told


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 100_000, b'{"payload": 1}', b"\xff\xfe", b"0" * (2 << 20)])
def test_what_is_no_report_is_refused_in_words(base_before, tmp_path, data):
    file = tmp_path / "returned.json"
    file.write_bytes(data)
    with pytest.raises(PilotbaseError) as told:
        take_back(base_before, file)
    assert told.value.exit_code in (2, 3)
