"""A model card of Hugging Face: ``model-index`` with each figure, then verdict, criteria and limits for readers.

``verified`` stays false: that mark is given by the Hub itself. Source: huggingface_hub, model cards and eval results.
"""

from __future__ import annotations

from typing import Any

import yaml

from pilotbase.certificate.exports import CertifiedCriterion, Export, ProvenCertificate
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.texts import text


def _write(proof: ProvenCertificate) -> bytes:
    head = yaml.safe_dump({"model-index": [_index(proof)]}, allow_unicode=True, sort_keys=False)
    return f"---\n{head}---\n\n{_body(proof)}".encode()


def _index(proof: ProvenCertificate) -> dict[str, Any]:
    certificate = proof.certificate
    scenario = certificate.scenario
    found = {
        "task": {"type": "other", "name": scenario.name},
        "dataset": {
            "type": scenario.name,
            "name": f"hidden cases of {scenario.name}",
            "revision": str(scenario.hidden_version),
        },
        "metrics": [_metric(one) for one in proof.criteria if one.result and one.result.estimate is not None],
        "source": {"name": certificate.issuer, "url": proof.urn},
    }
    return {"name": certificate.application.name, "results": [found] if found["metrics"] else []}


def _metric(one: CertifiedCriterion) -> dict[str, Any]:
    assert one.result is not None
    return {"type": one.rule.measure, "name": one.rule.key, "value": one.result.estimate, "verified": False}


def _body(proof: ProvenCertificate) -> str:
    certificate = proof.certificate
    lines = [
        f"# {certificate.application.name} {certificate.application.version}",
        "",
        f"**{certificate.verdict_in_words.render('en')}** · {proof.issued} · {certificate.issuer}",
        "",
        proof.claim,
        "",
        "| criterion | outcome | measured | interval |",
        "|---|---|---|---|",
        *(_row(one) for one in proof.criteria),
        "",
        "## Limitations",
        "",
        *(f"* {limit}" for limit in proof.limits),
        "",
        f"Certificate `{hex_of(certificate.serial)}`, application `{hex_of(certificate.application.digest)}`. "
        "Check it with `pilotbase certificate verify`.",
    ]
    return "\n".join(lines) + "\n"


def _row(one: CertifiedCriterion) -> str:
    estimate = None if one.result is None else one.result.estimate
    ends = " … ".join(f"{end:.4g}" for end in one.bounds.values()) if len(one.bounds) == 2 else "–"
    rule = one.source.replace("|", "\\|")
    return f"| `{rule}` | {one.outcome or '–'} | {'–' if estimate is None else f'{estimate:.4g}'} | {ends} |"


EXPORT = Export("model-card", text("certificate.export.model_card"), "text/markdown", ".md", _write)
