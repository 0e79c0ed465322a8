"""The whole way of a site trial: what the base holds in the end, and what has never left the site."""

from pathlib import Path

import pytest

from pilotbase.certificate.roots import read_trust_roots
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.site import Witness
from pilotbase.documents.vocabularies import Verdict
from pilotbase.worker.sample_bundles.packing import pack_trial
from pilotbase.worker.sites.enrolling import find_site
from pilotbase.worker.sites.taking_back import take_back, taken_lines
from pilotbase.worker.trials.certificates import check_certificate
from pilotbase.worker.trials.log_check import verify_base_log
from pilotbase.worker.trials.replaying import replay_trial
from pilotbase.workspace.failures import NotFoundError
from tests.worker.sites.conftest import MARK


def bytes_under(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_the_certificate_is_the_bases_and_names_site_owner_and_witness(done):
    homes, taken = done.homes, done.good.taken
    roots = read_trust_roots(homes.roots.read_bytes())
    signed = (homes.place / "taken alarm" / "certificate.json").read_bytes()
    certificate = verify_certificate(signed, roots, at=homes.base.lab.store.clock()).certificate
    assert (certificate.verdict, certificate.issuer) == (Verdict.ACCEPT, "pilot-base")
    assert certificate.report == taken.report.digest() != done.good.ran.report.digest()
    site = certificate.site
    assert (site.site, site.owner, site.witness.name) == ("plant-site", "plant", "Li Wei")
    assert (site.full_report, site.pack) == (done.good.ran.report.digest(), done.good.packed.pack.digest())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("at site plant-site", "machine of plant", "Li Wei of plant witnessed", "saw neither the cases")),
        ("zh", ("现场 plant-site", "plant 的机器", "plant 的 Li Wei 现场见证", "既未见到案例")),
    ],
)
def test_who_verifies_it_and_who_reads_the_page_is_told_where_it_ran(done, tmp_path, language, words):
    file = tmp_path / "certificate.json"
    file.write_bytes(done.good.taken.issued.envelope.to_bytes())
    checked = check_certificate(file, done.homes.roots, None, None, False)
    said = "\n".join(line.render(language) for line in checked.lines)
    page = (done.homes.place / "taken alarm" / "report.html").read_text("utf-8")
    for word in words:
        assert word in said and word in page


def test_no_case_is_on_the_table_or_at_the_base_and_all_are_at_the_site(done):
    homes = done.homes
    left = bytes_under(homes.table) + bytes_under(homes.place / "base") + bytes_under(homes.place / "taken alarm")
    papers = [done.good.ran.released.envelope, done.bad.ran.released.envelope]
    assert MARK in (homes.scenario / "cases.csv").read_bytes()
    assert MARK not in left + b"".join(paper.content() for paper in papers)
    assert not list((homes.place / "base").rglob("records.parquet"))
    assert done.good.taken.report.records.root == done.good.ran.report.records.root
    with pytest.raises(NotFoundError):
        pack_trial(homes.base, homes.base.lab.view, done.good.taken.report.plan)


def test_what_leaves_is_as_coarse_as_a_suppliers_view(done):
    report = done.good.taken.report
    assert report.view == "site" and report.groups == ()
    for result in report.criteria:
        assert (result.lower, result.upper, result.path) == (None, None, ())
        assert result.estimate is None or result.estimate == float(f"{result.estimate:.2g}")


def test_the_owner_derives_the_verdict_again_from_what_stayed(done):
    replayed = replay_trial(done.good.ran.folder)
    assert replayed.verdict is Verdict.ACCEPT
    assert replayed.root == done.good.taken.report.records.root


def test_attempts_of_a_site_count_on(done):
    assert done.good.taken.report.attempt.number == 1
    assert done.bad.taken.report.attempt.number == 2
    assert done.bad.taken.report.verdict is Verdict.REJECT
    assert done.bad.taken.issued.certificate.verdict is Verdict.REJECT
    assert done.bad.taken.unreported == ()


def test_an_attempt_that_did_not_come_back_is_told(done, base_before):
    taken = take_back(base_before, done.bad.ran.file, done.homes.place / "second only")
    assert taken.unreported == (1,)
    lines = [line.render("en") for line in taken_lines(base_before, taken, base_before.lab.store.clock())]
    assert any("without a report: 1." in line for line in lines)


def test_the_same_file_again_changes_nothing(done):
    homes = done.homes
    size, head = homes.base.lab.view.checkpoint().size, find_site(homes.base.lab.view, "plant-site")
    again = homes.take_back(done.good.ran.file, "alarm")
    assert again.issued == done.good.taken.issued
    assert homes.base.lab.view.checkpoint().size == size
    assert find_site(homes.base.lab.view, "plant-site") == head
    assert verify_base_log(homes.base).code == "worker.log_holds"


def test_a_pack_that_is_run_again_gives_the_same_file_whoever_watches_now(done):
    homes, file = done.homes, done.good.ran.file
    kept = file.read_bytes()
    again = homes.run(done.good.packed.file, Witness(name="Somebody Else", organisation="plant"), "again.json")
    assert again.file.read_bytes() == kept
    assert again.released.paper.release.witness.name == "Li Wei"


def test_the_page_names_the_report_that_the_certificate_names_and_the_one_that_stayed(done):
    page = (done.homes.place / "taken alarm" / "report.html").read_text("utf-8")
    assert done.good.taken.issued.certificate.report in page
    assert done.good.ran.report.digest()[:19] in page
    assert "figures released by the data&#39;s owner" in page and "数据所有方允许放行的数值" in page
