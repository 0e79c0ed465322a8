"""Datasets are narrowed and counted by the facets that their listings hold, not by reading their descriptions."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
_LISTED = """SELECT listings.subject, listings.state, documents.body FROM listings
             JOIN documents ON documents.digest = listings.digest AND documents.owner = listings.owner
             WHERE listings.kind = 'dataset'"""
_GRADED = """SELECT heads.name, documents.body FROM heads
             JOIN documents ON documents.digest = heads.digest AND documents.owner = heads.owner
             WHERE heads.name LIKE 'quality:%'"""
_LONGEST = 300


def upgrade() -> None:
    """Add the column, and write the facets of what is there as they are said when this was written."""
    op.add_column("listings", sa.Column("facets", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    graded = {name.partition(":")[2]: json.loads(body) for name, body in connection.execute(sa.text(_GRADED))}
    put = sa.text("UPDATE listings SET facets = :facets WHERE subject = :subject")
    for subject, state, body in connection.execute(sa.text(_LISTED)).all():
        lines = _lines(json.loads(body), state, graded.get(subject, {}))
        connection.execute(put, {"subject": subject, "facets": "".join(lines)})
    op.create_index("listings_facets", "listings", ["kind", "scope", "facets", "sequence"])


def _lines(dataset: dict[str, Any], state: str, report: dict[str, Any]) -> Iterator[str]:
    fields = [field for one in dataset.get("recordSet", ()) for field in one.get("field", ())]
    same = report.get("version") == dataset.get("version", "1.0.0")
    values = {
        "sector": [dataset.get("sector", "other")],
        "opening": [dataset.get("opening", "compute_to_data")],
        "licence": [dataset["license"]] if dataset.get("license") else [],
        "language": dataset.get("inLanguage", []),
        "labels": ["yes" if any("cr:Label" in field.get("semantic", ()) for field in fields) else "no"],
        "quality": [report["grade"]["outcome"] if same else "not_measured"],
        "state": [state],
    }
    for facet, told in values.items():
        for value in dict.fromkeys(told):
            yield f"\x1f{facet}={' '.join(value.split())[:_LONGEST]}\x1f"
