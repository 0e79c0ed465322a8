"""Reports, certificates, delivered folders and lists of revocations that others have touched."""

import copy
import json
import py_compile
import shutil
from datetime import UTC, datetime
from importlib.util import cache_from_source

import pytest

from pilotbase.certificate.revoking import publish_revocations
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.report import Report
from pilotbase.worker.base import open_base
from pilotbase.worker.trials.certificates import check_certificate, revoke_certificate
from pilotbase.worker.trials.proving import rehearse_in
from tests.attacks.conftest import reopened
from tests.trial.conftest import BAD


def verify(trial, revocations=None, application=None):
    file = trial.proven.folder / "certificate.json"
    return check_certificate(file, trial.base.trust_roots, revocations, application, strict=revocations is not None)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("hidden", ["__pycache__", ".git", ".DS_Store"])
def test_a_delivered_folder_holds_nothing_that_its_digest_does_not_cover(trial, tmp_path, hidden):
    delivered = tmp_path / "delivered"
    shutil.copytree(trial.application, delivered)
    verify(trial, application=delivered)
    if hidden == "__pycache__":
        source = tmp_path / "other.py"
        source.write_text(BAD)
        compiled = cache_from_source(str(delivered / "app.py"))
        py_compile.compile(
            str(source), compiled, str(delivered / "app.py"),
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )  # fmt: skip
    elif hidden == ".git":
        (delivered / hidden).mkdir()
        (delivered / hidden / "payload").write_text("read by the certified code if it is there")
    else:
        (delivered / hidden).write_text("read by the certified code if it is there")
    with pytest.raises(InvalidProofError):
        verify(trial, application=delivered)


def test_a_revoked_certificate_stays_revoked_when_the_public_list_is_lost(trial):
    revoke_certificate(trial.base, trial.proven.folder / "certificate.json", "wrong data")
    with pytest.raises(InvalidProofError):
        verify(trial, trial.base.revocations)
    trial.base.revocations.unlink()
    base = reopened()
    with pytest.raises(InvalidProofError):
        verify(trial, base.revocations)


def test_a_clock_that_was_wrong_once_does_not_close_the_base(base):
    before = base.revocations.read_bytes()
    with pytest.raises(RefusedError) as caught:
        publish_revocations(base.trust, base.lab.view, base.revocations, datetime(1970, 1, 2, tzinfo=UTC))
    assert caught.value.code == "certificate.clock_outside_key"
    assert base.revocations.read_bytes() == before
    reopened()


def test_a_base_with_a_name_of_its_own_opens_for_every_command(other_home):
    open_base(create=True, name="our-base").lab.close()
    again = open_base(create=True)
    again.lab.close()
    assert again.trust.issuer == "our-base"


def changed(report, **values):
    return json.dumps({**report, **values}).encode()


def criterion(report, rule):
    criteria = copy.deepcopy(report["criteria"])
    criteria[0]["rule"] = rule
    return changed(report, criteria=criteria)


SENTENCES = {
    "a code of another version": {"code": "trial.reason.of_tomorrow"},
    "a sentence without its values": {"code": "trial.reason.missed"},
}
HOSTILE = {
    **{name: lambda report, s=sentence: changed(report, reasons=[s]) for name, sentence in SENTENCES.items()},
    "half of a surrogate pair": lambda report: criterion(report, "\ud800"),
    "nested without end": lambda _: b"[" * 100_000,
}


@pytest.fixture
def report(base, write_scenario, write_application):
    """A report as its file has it; a rehearsal's is quicker and no different to show."""
    folder = rehearse_in(base, write_scenario(rows=100), write_application()).folder
    return json.loads((folder / "report.json").read_bytes())


def test_a_rehearsals_report_can_be_shown(base, write_scenario, write_application, pilotbase):
    folder = rehearse_in(base, write_scenario(rows=100), write_application()).folder
    assert pilotbase("trial", "show", folder).exit_code == 0


def test_the_reports_of_these_tests_are_shown(report, tmp_path, pilotbase):
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert pilotbase("trial", "show", tmp_path / "report.json").exit_code == 0


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_report_is_shown_or_refused_in_words(report, tmp_path, pilotbase, name):
    file = tmp_path / "report.json"
    file.write_bytes(HOSTILE[name](report))
    result = pilotbase("trial", "show", file)
    result.stdout_bytes.decode("utf-8")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in (0, 2)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("words", ["\x1b]0;owned\x07", "\u202etpecca", "ok\nVerdict: accept"])
def test_a_hostile_report_does_not_steer_the_terminal(report, tmp_path, pilotbase, words):
    file = tmp_path / "report.json"
    file.write_bytes(criterion(report, words))
    assert words not in pilotbase("trial", "show", file).stdout


def test_a_hostile_report_names_no_catalogue_of_its_own(report, tmp_path, pilotbase):
    catalogue = tmp_path / "own"
    if "." in str(catalogue):
        pytest.skip("the folder of the tests has a dot in its name")
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    catalogue.with_suffix(".po").write_text(f'{head}msgid "{catalogue}.x"\nmsgstr "their own words"\n')
    file = tmp_path / "report.json"
    file.write_bytes(changed(report, reasons=[{"code": f"{catalogue}.x"}]))
    assert "their own words" not in pilotbase("trial", "show", file).stdout


def test_an_edited_report_is_not_the_certified_one(trial):
    report = json.loads((trial.proven.folder / "report.json").read_bytes())
    report["verdict"] = "reject"
    assert Report.from_json_value(report).digest() != trial.proven.certificate.report
    certificate = trial.proven.folder / "certificate.json"
    certificate.write_bytes(certificate.read_bytes().replace(b'"payload":"e', b'"payload":"f', 1))
    with pytest.raises(InvalidProofError):
        verify(trial)
