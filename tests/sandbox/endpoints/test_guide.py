"""The manifest of an endpoint in the guide is one that is taken, in both languages."""

from pathlib import Path

import pytest
import yaml

from pilotbase.documents.application import Application
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import build_document
from pilotbase.documents.yaml_reader import parse_yaml
from tests.trial.conftest import MANIFEST

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("page", ["write-an-application.md", "write-an-application.zh.md"])
def test_the_manifest_in_the_guide_is_taken(page):
    blocks = [part.partition("```")[0] for part in (DOCS / page).read_text().split("```yaml\n")[1:]]
    (written,) = (block for block in blocks if block.startswith("runtime: endpoint"))
    manifest = MANIFEST.format(name="kept", supplier="acme") + written
    application = build_document(Application, parse_yaml(manifest.encode(), "application.yaml"))
    endpoint = application.endpoint
    assert (endpoint.protocol, endpoint.timeout, str(endpoint.prices.prompt)) == ("openai_chat", 30.0, "0.002")
    assert endpoint.prompt.answer.read == "first_line" and endpoint.prompt.examples[0].answer == "broken"
    assert yaml.safe_load(written)["endpoint"]["key"] == "CHAT"
    assert application.offered.sends_data is True
    with pytest.raises(InputError) as refused:
        build_document(
            Application, parse_yaml(f"{manifest}offer: {{sends_data: false}}\n".encode(), "application.yaml")
        )
    assert [issue.path for issue in refused.value.issues] == ["offer.sends_data"]
