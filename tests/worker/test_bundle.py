"""The sample bundle: the verdict again from one archive, on another machine, and every way to alter it."""

import hashlib
import io
import json
import random
import shutil
import subprocess
import zipfile

import pytest
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import open_base, rotate_key
from pilotbase.worker.sample_bundles.files import SUMS, pack, sums_of, unpack
from pilotbase.worker.sample_bundles.packing import pack_trial
from pilotbase.worker.sample_bundles.replaying import replay_bundle
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial
from pilotbase.workspace.actors import actor, parties
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.records_for_tests import NOW, REGULATOR
from tests.trial.conftest import BAD, writing_application, writing_scenario


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """An accepted and a rejected trial with their bundles, and where their home is."""
    place = tmp_path_factory.mktemp("bundles")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PILOTBASE_HOME", str(place / "home"))
        base = open_base(create=True, name="test-base")
        scenario = writing_scenario(place)(cases=200)
        good = prove(base, scenario, writing_application(place)(), place / "good")
        bad = prove(base, scenario, writing_application(place)(BAD, "lazy"), place / "bad")
        opinion = Acceptance(report=good.report.digest(), organisation="plant", decision="accepted", at=NOW)
        accepted = base.lab.view.put(opinion, parties(), "acceptance.give", owner="plant")
        taker = base.lab.store.as_actor(REGULATOR)
        archives = {
            "good": pack_trial(base, taker, good.report.plan, accepted).archive,
            "bad": pack_trial(base, taker, bad.report.plan).archive,
        }
        yield {"place": place, "base": base, "good": good, "bad": bad, "accepted": accepted, "archives": archives}
        base.lab.close()


@pytest.fixture
def elsewhere(trials, tmp_path, monkeypatch):
    """The archive of the accepted trial on a machine without a base."""
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "nowhere"))
    file = tmp_path / "bundle.zip"
    file.write_bytes(trials["archives"]["good"])
    return file


def unpacked(file, place):
    with zipfile.ZipFile(file) as archive:
        archive.extractall(place)
    (folder,) = place.iterdir()
    return folder


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_archive_and_folder_give_the_digest_of_the_trial(trials, elsewhere, tmp_path):
    packed, folder = replay_bundle(elsewhere), replay_bundle(unpacked(elsewhere, tmp_path / "u"))
    assert packed == folder
    assert packed.digest == trials["good"].report.decision == replay_trial(trials["place"] / "good").digest
    assert packed.logged == ("acceptance", "answers", "certificate", "order", "plan", "report")
    assert not packed.absent
    shown = run("trial", "replay", elsewhere)
    assert shown.exit_code == 0
    assert packed.digest in shown.stdout
    assert json.loads(run("trial", "replay", elsewhere, "--json").stdout)["digest"] == packed.digest


def test_a_rejected_trial_replays_as_rejected(trials, tmp_path):
    file = tmp_path / "bad.zip"
    file.write_bytes(trials["archives"]["bad"])
    assert replay_bundle(file).verdict == "reject"


def test_the_command_packs_a_trial_and_anybody_replays_it(trials, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_HOME", str(trials["place"] / "home"))
    packed = run("trial", "pack", trials["place"] / "good" / "report.json", "--out", tmp_path / "x" / "b.zip")
    assert packed.exit_code == 0, packed.output
    assert hashlib.sha256((tmp_path / "x" / "b.zip").read_bytes()).hexdigest() in packed.stdout
    assert (tmp_path / "x" / "b.zip").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "nowhere"))
    assert run("trial", "replay", tmp_path / "x" / "b.zip").exit_code == 0


def test_the_same_trial_is_the_same_bytes_whoever_takes_it_and_however_the_log_went_on(trials):
    base = trials["base"]
    with base.lab.view.transaction("something") as change:
        change.record("something")
    again = pack_trial(base, base.lab.view, trials["good"].report.plan, trials["accepted"])
    assert again.archive == trials["archives"]["good"]


def test_taking_a_bundle_stands_in_the_log_as_a_read_of_hidden_data(trials):
    entries = trials["base"].lab.view.log_entries()
    taken = next(entry for entry in entries if entry.action == "trial.bundle_taken")
    assert (taken.actor.organisation, taken.facts["purpose"]) == ("ministry", "bundle")
    assert trials["good"].report.records.blob in taken.subjects
    opened = next(entry for entry in entries if entry.number > taken.number)
    assert (opened.action, opened.facts["purpose"]) == ("vault.envelope_opened", "bundle")
    hidden = trials["base"].lab.view.load(trials["good"].report.plan, TrialPlan).scenario.hidden_set
    assert hidden in taken.subjects and hidden in opened.subjects, "no owner would find it in the access record"


def test_any_altered_byte_of_the_archive_fails(elsewhere, tmp_path):
    data = elsewhere.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        starts = [line.header_offset for line in archive.infolist()]
    draw = random.Random(1)
    places = {*draw.sample(range(len(data)), 200), *range(len(data) - 60, len(data))}
    places |= {start + draw.randrange(40) for start in starts} | set(range(40))
    altered = tmp_path / "altered.zip"
    for place in sorted(places):
        altered.write_bytes(data[:place] + bytes([data[place] ^ (1 << draw.randrange(8))]) + data[place + 1 :])
        with pytest.raises((InvalidProofError, InputError)):
            unpack(altered)
    for changed in (data + b"\0", data[:-1], b"", b"PK"):
        altered.write_bytes(changed)
        with pytest.raises((InvalidProofError, InputError)):
            unpack(altered)


def test_any_altered_file_of_the_folder_fails_by_name(elsewhere, tmp_path):
    folder = unpacked(elsewhere, tmp_path / "u")
    for file in sorted(folder.iterdir()):
        kept = file.read_bytes()
        file.write_bytes(kept[:-2] + bytes([kept[-2] ^ 1]) + kept[-1:])
        answer = run("trial", "replay", folder)
        assert answer.exit_code == 3, file.name
        assert file.name in answer.stderr or file.name == SUMS
        file.unlink()
        with pytest.raises(InvalidProofError):
            replay_bundle(folder)
        file.write_bytes(kept)
    assert run("trial", "replay", folder).exit_code == 0
    assert subprocess.run(["sha256sum", "-c", SUMS], cwd=folder, capture_output=True, check=False).returncode == 0


def forged(trials, tmp_path, change):
    """The bundle with its files changed and packed again, sums and all, as somebody with the software would."""
    file = tmp_path / "forged.zip"
    file.write_bytes(trials["archives"]["good"])
    files = change(dict(unpack(file)))
    file.write_bytes(pack("forged", files))
    return file


def with_json(name, change):
    def changed(files):
        value = json.loads(files[name])
        change(value)
        return {**files, name: json.dumps(value).encode()}

    return changed


OTHER = {name: name for name in ("plan.json", "report.json", "records.parquet", "log-excerpt.json", "certificate.json")}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (with_json("report.json", lambda one: one.update(verdict="reject")), "bundle.other_trial"),
        (with_json("acceptance.json", lambda one: one.update(decision="declined")), "bundle.log_differs"),
        (with_json("log-excerpt.json", lambda one: one["entries"].pop("answers")), "bundle.log_silent"),
        (with_json("log-excerpt.json", lambda one: one["entries"]["plan"].update(number=0)), "log.entry_altered"),
        (with_json("log-excerpt.json", lambda one: one["entries"]["plan"].update(path=["zz"])), "log.entry_altered"),
        (with_json("plan.json", lambda one: one.update(nonce="0" * 32)), "bundle.other_trial"),
        (lambda files: {**files, "log-checkpoint.txt": b"x"}, "bundle.other_trial"),
        (lambda files: {**files, "certificate.json": b"{}"}, "bundle.unreadable"),
        (lambda files: {**files, "trust-roots.json": b"{}"}, "certificate.bad_roots"),
    ],
)  # fmt: skip
def test_a_bundle_that_was_changed_and_packed_again_is_found_out(trials, tmp_path, change, code):
    with pytest.raises(PilotbaseError) as caught:
        replay_bundle(forged(trials, tmp_path, change))
    assert caught.value.code == code
    assert all(caught.value.render(language) for language in ("en", "zh"))


@pytest.mark.parametrize("name", OTHER)
def test_a_file_of_another_trial_is_found_out(trials, tmp_path, name):
    other = tmp_path / "other.zip"
    other.write_bytes(trials["archives"]["bad"])
    theirs = unpack(other)[name]
    with pytest.raises(PilotbaseError):
        replay_bundle(forged(trials, tmp_path, lambda files: {**files, name: theirs}))


def test_roots_from_elsewhere_decide_whether_the_certificate_is_the_bases(trials, elsewhere, tmp_path, monkeypatch):
    ours = tmp_path / "log-key.txt"
    ours.write_text(f"{trials['base'].lab.store.key.verifier}\n")
    known = replay_bundle(elsewhere, trials["base"].trust_roots, ours)
    assert (known.signed, known.taken_on_trust) == (True, ())
    assert replay_bundle(elsewhere).taken_on_trust == ("trust_roots", "log_key")
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "other-home"))
    stranger = open_base(create=True, name="stranger")
    answer = run("trial", "replay", elsewhere, "--trust", stranger.trust_roots)
    theirs = tmp_path / "their-key.txt"
    theirs.write_text(str(stranger.lab.store.key.verifier))
    other_log = run("trial", "replay", elsewhere, "--log-key", theirs)
    stranger.lab.close()
    assert (answer.exit_code, other_log.exit_code) == (3, 3)


def test_an_archive_of_a_stranger_is_refused_before_anything_is_unpacked(tmp_path):
    bombs = {
        "compressed.zip": ("b/plan.json", zipfile.ZIP_DEFLATED),
        "unknown.zip": ("b/evil.sh", zipfile.ZIP_STORED),
        "climbing.zip": ("../plan.json", zipfile.ZIP_STORED),
    }
    for name, (member, method) in bombs.items():
        with zipfile.ZipFile(tmp_path / name, "w", method) as archive:
            archive.writestr(member, b"0" * 100_000)
        with pytest.raises(InputError) as caught:
            unpack(tmp_path / name)
        assert caught.value.code == "bundle.no_bundle"
    (tmp_path / "empty.zip").write_bytes(pack("b", {}))
    with pytest.raises(InvalidProofError):
        unpack(tmp_path / "empty.zip")


def test_the_readme_tells_both_languages_what_each_file_is(elsewhere):
    files = unpack(elsewhere)
    told = files["README.md"].decode()
    for heading in ("# Sample bundle of a trial", "# 中试样本包"):
        assert heading in told
    for name in (*files, SUMS):
        assert told.count(f"- `{name}`: ") == 2
    assert "pilotbase trial replay" in told
    assert sums_of(files).count(b"\n") == len(files)


def test_spreadsheets_meet_no_formula(elsewhere):
    rows = unpack(elsewhere)["cases.csv"].decode().splitlines()
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.split(","))


def test_a_trial_without_report_has_no_bundle(trials):
    with pytest.raises(NotFoundError):
        pack_trial(trials["base"], trials["base"].lab.view, f"sha256:{'0' * 64}")


def test_who_may_not_open_the_owners_records_packs_nothing(trials):
    from dataclasses import replace

    base = trials["base"]
    lab = type(base.lab).open(base.home, actor("acme", Role.SUPPLIER))
    with pytest.raises(PilotbaseError):
        pack_trial(replace(base, lab=lab), lab.view, trials["good"].report.plan)
    lab.close()


def test_a_bundle_taken_before_the_keys_were_replaced_still_replays(trials, tmp_path):
    home = shutil.copytree(trials["place"] / "home", tmp_path / "copy")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PILOTBASE_HOME", str(home))
        base = open_base()
        rotate_key(base, root=True)
        file = tmp_path / "bundle.zip"
        file.write_bytes(trials["archives"]["good"])
        assert replay_bundle(file, base.trust_roots).signed
        base.lab.close()
