"""Packs that a site does not run: hostile archives, other signatures, other contents, wrong times, wrong parties."""

import shutil
import struct
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pilotbase.certificate.roots import read_trust_roots
from pilotbase.certificate.trust import create_trust, write_trust_roots
from pilotbase.documents.base import Step
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.site import Release, Software, Witness
from pilotbase.trial.scenario_folder import load_scenario
from pilotbase.vault.attempts import attempts_of
from pilotbase.vault.sealing import HiddenSet
from pilotbase.worker.archives import MOST_MEMBERS, PAPER, ArchiveEntry, write_archive
from pilotbase.worker.sites.papers import SitePack, pack_head, read_envelope, read_paper, sign
from pilotbase.worker.sites.running import SiteOrder, run_pack, witness_of
from pilotbase.worker.sites.unpacking import opened_pack, require_runnable
from pilotbase.worker.trials.hidden_budgets import sealed_here
from pilotbase.workspace.actors import parties
from tests.trial.conftest import BAD
from tests.worker.sites.homes_for_tests import WITNESS, at


@pytest.fixture(scope="module")
def members(done):
    """The members of the accepted application's pack, by name."""
    with zipfile.ZipFile(done.good.packed.file) as archive:
        return {line.filename: archive.read(line) for line in archive.infolist()}


@pytest.fixture
def refused(done, tmp_path):
    """Return a function: give the site an archive, and return what it says; nothing of it may be kept or run."""

    def hand_in(archive, **changes) -> PilotbaseError:
        file = archive
        if isinstance(archive, dict):
            file = tmp_path / "given.pack"
            write_archive(file, (ArchiveEntry(name, content) for name, content in archive.items()))
        homes = done.homes
        order = SiteOrder(file, homes.scenario, homes.roots, WITNESS, tmp_path / "out.json")
        base = changes.pop("site", homes.site)
        kept = sorted(path.name for path in homes.site.lab.applications.iterdir())
        with pytest.raises(PilotbaseError) as told:
            run_pack(base, replace(order, **changes))
        assert sorted(path.name for path in homes.site.lab.applications.iterdir()) == kept
        assert not (tmp_path / "out.json").exists() and not list(homes.site.lab.folder("tmp").glob("tmp*"))
        hidden = homes.site.lab.view.load(done.good.packed.pack.scenario.hidden_set, HiddenSet)
        assert len(attempts_of(homes.site.lab.vault, hidden)) == 2
        return told.value

    return hand_in


def signed_anew(done, trust=None, **changes) -> bytes:
    """Return the paper of the pack with parts of it replaced, signed by the base."""
    pack = done.good.packed.pack.model_copy(update=changes)
    return sign(pack, trust or done.homes.base.trust).to_bytes()


@pytest.mark.prove
def test_the_same_order_gives_the_same_bytes(done, tmp_path):
    homes = done.homes
    again = homes.pack(homes.place / "alarm", "again.pack")
    assert again.pack == done.good.packed.pack
    assert again.file.read_bytes() == done.good.packed.file.read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("application/app.py", b"def predict(batch):\n    return open('/etc/passwd')\n", "site.member_differs"),
        ("application/more.py", b"", "site.member_differs"),
        ("application/__pycache__/app.cpython-311.pyc", b"x", "site.member_differs"),
        ("wheels/" + "0" * 64 + "/evil-1.0-py3-none-any.whl", b"", "site.member_odd"),
        ("readme.txt", b"", "site.member_odd"),
        ("application/../../outside.py", b"", "site.member_leads_out"),
        ("application//etc/cron.d/x", b"", "site.member_leads_out"),
        ("application/a\\b", b"", "site.member_leads_out"),
        ("application/app.py/inside.py", b"", "site.no_pack"),
        ("application/line\nbreak", b"", "site.member_leads_out"),
    ],
)
def test_what_was_not_signed_is_refused_by_its_name(refused, members, name, content, code):
    told = refused({**members, name: content})
    assert told.code == code
    assert isinstance(told, InvalidProofError | InputError)


def test_another_application_than_the_one_that_is_named(done, refused, members):
    with zipfile.ZipFile(done.bad.packed.file) as archive:
        other = {line.filename: archive.read(line) for line in archive.infolist() if line.filename != PAPER}
    assert refused({PAPER: members[PAPER], **other}).code == "site.member_differs"


def test_an_altered_paper_or_anothers_signature_is_refused_before_anything_else_is_read(
    done, refused, members, tmp_path
):
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    impostor = create_trust(keys, "pilot-base", done.homes.base.lab.store.clock())
    for paper in (signed_anew(done, impostor), members[PAPER].replace(b'payload":"eyJ', b'payload":"eyK', 1)):
        told = refused({**members, PAPER: paper, "readme.txt": b"not read"})
        assert told.code in ("certificate.untrusted", "certificate.malformed") and told.exit_code == 3
    write_trust_roots(impostor, tmp_path / "roots.json")
    assert refused(done.good.packed.file, trust=tmp_path / "roots.json").code == "certificate.untrusted"


def test_a_report_is_no_pack(done, refused, members):
    paper = done.good.ran.file.read_bytes()
    assert refused({**members, PAPER: paper}).code == "certificate.other_payload"


def tampered_archives(members, file):
    """Yield (name, function that writes a hostile archive to ``file``)."""
    plain = file.read_bytes()
    end = len(plain) - 22

    def compressed(place):
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    def twice(place):
        with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive, pytest.warns(UserWarning, match="Duplicate"):
            for name, content in [*members.items(), (PAPER, b"{}")]:
                archive.writestr(name, content)

    def many(place):
        with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
            for number in range(MOST_MEMBERS + 1):
                archive.writestr(zipfile.ZipInfo(f"application/{number}"), b"")

    def written(data):
        return lambda place: place.write_bytes(data)

    def end_with(**values):
        fields = dict(
            zip(("sign", "disk", "start", "here", "all", "size", "offset", "comment"), _end(plain), strict=True)
        )
        return written(plain[:end] + struct.pack("<4s4H2LH", *{**fields, **values}.values()))

    return {
        "compressed": compressed,
        "twice": twice,
        "many": many,
        "cut": written(plain[:-300]),
        "empty": written(b""),
        "text": written(b"not a zip at all" * 10),
        "comment": written(plain[:-2] + b"\x05\x00hello"),
        "directory of four gigabytes": end_with(size=0xFFFFFFFF),
        "large directory": end_with(size=64 << 20),
        "zip64 locator": written(plain[:end] + b"PK\x06\x07" + b"\x00" * 16 + plain[end:]),
        "encrypted": written(_flagged(plain)),
        "says to be short": written(_resized(plain, 1)),
        "says to be long": written(_resized(plain, 3 << 30)),
    }


def _end(data):
    return struct.unpack("<4s4H2LH", data[-22:])


def _flagged(data):
    place = data.index(b"PK\x01\x02")
    return data[: place + 8] + b"\x01\x00" + data[place + 10 :]


def _resized(data, size):
    place = data.index(b"PK\x01\x02")
    return data[: place + 20] + struct.pack("<LL", size, size) + data[place + 28 :]


CODES = {"says to be long": "site.archive_too_large"}
KINDS = (
    "compressed", "twice", "many", "cut", "empty", "text", "comment", "directory of four gigabytes", "large directory",
    "zip64 locator", "encrypted", "says to be short", "says to be long",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_tricks_of_archives_are_input_errors(done, refused, members, tmp_path, kind):
    file = tmp_path / "tricky.pack"
    tampered_archives(members, done.good.packed.file)[kind](file)
    told = refused(file)
    assert isinstance(told, InputError | InvalidProofError)
    assert told.code == CODES.get(kind, "site.no_pack")


def test_a_sparse_file_of_terabytes_is_refused_at_once(refused, tmp_path):
    file = tmp_path / "huge.pack"
    with file.open("wb") as stream:
        stream.truncate(1 << 42)
    assert refused(file).code == "site.archive_too_large"


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"site": "other-site"}, ["site"]),
        ({"sealed": "sha256:" + "0" * 64}, ["scenario"]),
        ({"criteria": ("accuracy >= 0.1",)}, ["criteria"]),
        ({"software": Software(name="pilotbase 9", digest="sha256:" + "0" * 64)}, ["software"]),
        ({"release": Release(figures="bounds")}, ["release"]),
        ({"release": Release(smallest_cell=2)}, ["release"]),
        ({"nonce": "used", "criteria": ("accuracy >= 0.1",), "site": "x"}, ["nonce", "criteria", "site"]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_a_pack_that_asks_for_something_else_is_refused_with_every_reason(done, refused, members, changes, places):
    if changes.get("nonce") == "used":
        changes = {**changes, "nonce": done.bad.packed.pack.nonce}
    told = refused({**members, PAPER: signed_anew(done, **changes)})
    assert isinstance(told, RefusedError) and told.code == "site.pack_refused"
    for place in places:
        assert f"{place}: " in told.render("en")
    assert "未计入次数" in told.render("zh")


def test_a_pack_that_has_run_out_is_refused_and_so_is_one_from_the_future(done, refused, members):
    fresh = signed_anew(done, nonce="a" * 32)
    now = done.homes.base.lab.store.clock()
    late, early = (at(done.homes.site, moved) for moved in (timedelta(days=31), -timedelta(hours=2)))
    assert "expires_at: " in refused({**members, PAPER: fresh}, site=late).render("en")
    assert "clock: " in refused({**members, PAPER: fresh}, site=early).render("en")
    begun = signed_anew(done, expires_at=now)
    assert "nonce: " in refused({**members, PAPER: begun}).render("en")


def test_a_pack_that_was_begun_is_refused_a_week_after_it_has_run_out(done, refused, members):
    """So what was revoked since it was made is opened no longer than this."""
    site, signed = done.homes.site, signed_anew(done, nonce="b" * 32)
    pack = read_paper(SitePack, read_envelope(SitePack, signed))
    with site.lab.view.transaction("test.begun") as change:
        change.set_head(pack_head(pack.nonce), change.put(pack, parties(), owner="plant"), expected=None)
    sealed = sealed_here(site.lab, *load_scenario(done.homes.scenario, Step.FREEZE))
    opened = (pack, sealed, WITNESS, Path("x"))
    require_runnable(at(site, timedelta(days=36)), *opened)
    assert "expires_at: " in refused({**members, PAPER: signed}, site=at(site, timedelta(days=38))).render("en")


def test_what_was_begun_in_time_is_given_out_after_the_pack_has_run_out(done):
    homes, file = done.homes, done.homes.table / "late.json"
    order = SiteOrder(done.good.packed.file, homes.scenario, homes.roots, WITNESS, file)
    run_pack(at(homes.site, timedelta(days=90)), order)
    assert file.read_bytes() == done.good.ran.file.read_bytes()


def test_nobody_of_the_supplier_watches(done, refused):
    told = refused(done.good.packed.file, witness=Witness(name="Mallory", organisation="acme"))
    assert "witness: " in told.render("en")
    for name, organisation in [("", "plant"), ("   ", "plant"), ("Li Wei", "Not A Name"), ("x" * 121, "plant")]:
        with pytest.raises(InputError):
            witness_of(name, organisation)


def test_a_scenario_that_was_edited_or_never_offered_is_refused(done, refused, tmp_path):
    edited = tmp_path / "edited"
    shutil.copytree(done.homes.scenario, edited)
    (edited / "scenario.yaml").write_text((edited / "scenario.yaml").read_text().replace(">= 0.7", ">= 0.1"))
    assert refused(done.good.packed.file, scenario=edited).code == "site.not_sealed"


def test_a_pack_that_holds_is_opened_and_goes_with_the_block(done, tmp_path):
    roots = read_trust_roots(done.homes.roots.read_bytes())
    with opened_pack(done.bad.packed.file, roots, tmp_path) as opened:
        assert isinstance(opened.pack, SitePack)
        assert (opened.application / "app.py").read_text() == BAD
    assert not list(tmp_path.iterdir())
