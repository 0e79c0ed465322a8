import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pilotbase.data.labelling.gathering import Annotation, Gathered
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.labelling import LabellingCampaign

GUIDELINE = b"A cat has whiskers. Whatever else has four legs is a dog.\n"


@pytest.fixture
def campaign_value() -> dict[str, Any]:
    return {
        "document": "labelling/1",
        "name": "pets",
        "of": "clinic/pets",
        "guideline": {"version": "1.2", "file": "guideline.md", "digest": digest_bytes(GUIDELINE)},
        "classes": ["cat", "dog", "bird"],
        "annotators": [{"name": "a1", "accounts": [7]}, {"name": "a2", "accounts": [8]}],
        "adjudicator": "judge",
    }


@pytest.fixture
def campaign(campaign_value: dict[str, Any]) -> Callable[..., LabellingCampaign]:
    """Return a maker of campaigns; keyword arguments replace parts."""
    return lambda **parts: LabellingCampaign.model_validate(campaign_value | parts)


@pytest.fixture
def campaign_file(tmp_path: Path, campaign_value: dict[str, Any]) -> Callable[..., Path]:
    """Return a maker of a campaign's folder with its guideline; keyword arguments replace parts."""

    def write(**parts: Any) -> Path:
        (tmp_path / "guideline.md").write_bytes(GUIDELINE)
        path = tmp_path / "campaign.yaml"
        path.write_text(yaml.safe_dump(campaign_value | parts), "utf-8")
        return path

    return write


@pytest.fixture
def gathered() -> Callable[..., Gathered]:
    """Return what was gathered of columns of labels, one annotator each: a1, a2, …; None where one is missing."""

    def make(*columns: list[str | None]) -> Gathered:
        given = [
            Annotation(f"i{item}", f"a{place + 1}", label)
            for place, column in enumerate(columns)
            for item, label in enumerate(column)
            if label is not None
        ]
        return Gathered(tuple(given), {}, ())

    return make


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of JSON files."""

    def write(value: Any, name: str = "export.json") -> Path:
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), "utf-8")
        return path

    return write
