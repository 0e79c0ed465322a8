"""Certificates in the formats of others: they say what was signed, no more, and the official readers accept them."""

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from benchmarks.peers.environments import peer_environment, peer_python
from pilotbase.certificate.exports import ProvenCertificate, export, exports
from pilotbase.certificate.issuing import issue_certificate
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.vocabularies import Outcome, Verdict
from tests.certificate.conftest import NOW

PROGRAM = Path(__file__).parent / "exports_verdicts.py"
SUFFIXES = {name: one.suffix for name, one in exports().items()}


@pytest.fixture
def report(make_report: Callable[..., Report]) -> Report:
    latency = {"rule": "latency.p95 <= 50 ms", "guarantee": "measured_run", "estimate": 0.01, "threshold": 0.05}
    recall = make_report().criteria[0].model_copy(update={"estimate": 0.9, "lower": 0.85, "upper": 0.95})
    return make_report(criteria=(recall, recall.model_copy(update=latency)))


@pytest.fixture
def certificate(report: Report, plan: TrialPlan) -> Certificate:
    return issue(report, plan)


def issue(report: Report, plan: TrialPlan) -> Certificate:
    return issue_certificate(report, plan, issuer="base-one", now=NOW, expires_at=NOW + timedelta(days=9))


def written(name: str, proof: ProvenCertificate) -> str:
    return export(proof, name).content().decode()


@pytest.mark.parametrize("name", SUFFIXES)
def test_every_export_names_the_certificate_and_the_application_and_is_the_same_again(
    name: str, report: Report, certificate: Certificate
) -> None:
    for known in (None, report, report.supplier_view()):
        first = written(name, ProvenCertificate(certificate, known))
        assert hex_of(certificate.serial) in first and hex_of(certificate.application.digest) in first
        assert first == written(name, ProvenCertificate(certificate, known))


def test_a_rejection_is_no_passed_test(make_report: Callable[..., Report], report: Report, plan: TrialPlan) -> None:
    recall, latency = report.criteria
    failed = (recall.model_copy(update={"outcome": Outcome.FAIL}), latency)
    rejected = make_report(verdict=Verdict.REJECT, criteria=failed)
    found = json.loads(written("in-toto", ProvenCertificate(issue(rejected, plan), rejected)))["predicate"]
    assert found["result"] == "FAILED"
    assert (found["failedTests"], found["passedTests"]) == ([recall.rule], [latency.rule])
    without = json.loads(written("in-toto", ProvenCertificate(issue(rejected, plan))))["predicate"]
    assert without["failedTests"] == without["passedTests"] == [], "which one failed is not public"


def test_figures_come_from_the_report_alone(report: Report, certificate: Certificate) -> None:
    bom = json.loads(written("cyclonedx", ProvenCertificate(certificate, report)))
    recall, latency = bom["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert recall == {
        "type": "recall(failure)",
        "value": "0.9",
        "confidenceInterval": {"lowerBound": "0.85", "upperBound": "0.95"},
    }
    assert latency["value"] == "0.01"
    first, second = bom["declarations"]["attestations"][0]["map"]
    assert first["confidence"]["score"] == report.criteria[0].confidence
    assert "confidence" not in second, "what was measured on one run has no error probability"
    public = json.loads(written("cyclonedx", ProvenCertificate(certificate)))
    assert public["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"] == []
    coarse = yaml.safe_load(
        written("model-card", ProvenCertificate(certificate, report.supplier_view())).split("---")[1]
    )
    assert coarse["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.9
    assert "0.85" not in written("cyclonedx", ProvenCertificate(certificate, report.supplier_view()))


def test_nothing_that_the_base_holds_back_is_exported(report: Report, certificate: Certificate) -> None:
    held = (certificate.scenario.hidden_set, certificate.scenario.digest)
    for name in ("cyclonedx", "spdx", "model-card"):
        assert not any(hex_of(digest) in written(name, ProvenCertificate(certificate, report)) for digest in held)


def test_another_report_is_refused(make_report: Callable[..., Report], certificate: Certificate) -> None:
    other = make_report(sector="energy")
    with pytest.raises(InvalidProofError) as refused:
        ProvenCertificate(certificate, other)
    assert refused.value.text.code == "certificate.export.other_report"


def test_an_unknown_format_is_refused_with_those_there_are(certificate: Certificate) -> None:
    with pytest.raises(InputError) as refused:
        export(ProvenCertificate(certificate), "cyclonedex")
    assert "cyclonedx" in str(refused.value.text.render("en"))


@pytest.mark.prove
def test_the_official_readers_accept_every_export(
    make_report: Callable[..., Report], report: Report, plan: TrialPlan, tmp_path: Path
) -> None:
    """cyclonedx-python-lib, spdx-python-model, in-toto-attestation, huggingface-hub; each refuses what is broken."""
    rejected = make_report(verdict=Verdict.REJECT, criteria=report.criteria)
    for known in (report, rejected):
        for name, suffix in SUFFIXES.items():
            content = written(name, ProvenCertificate(issue(known, plan), known))
            (tmp_path / f"{known.verdict}{suffix}").write_text(content, "utf-8")
            (tmp_path / f"broken-{known.verdict}{suffix}").write_text(BROKEN[name](content), "utf-8")
    asked = [str(peer_python("proofs")), str(PROGRAM), str(tmp_path)]
    run = subprocess.run(asked, env=peer_environment(), capture_output=True, text=True, check=True)
    verdicts = json.loads(run.stdout)
    assert len(verdicts) == 4 * len(SUFFIXES)
    for name, found in verdicts.items():
        assert (found is not None) is name.startswith("broken-"), f"{name}: {found}"


BROKEN: dict[str, Callable[[str], str]] = {
    "in-toto": lambda content: content.replace("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0"),
    "cyclonedx": lambda content: content.replace('"machine-learning-model"', '"model"'),
    "spdx": lambda content: content.replace('"red"', '"crimson"'),
    "model-card": lambda content: content.replace("verified: false", "verified: true"),
}
