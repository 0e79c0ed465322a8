"""Programmes of vouchers: rules as the file that people write, and the evidence of one as a download."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import StreamingHttpResponse

from pilotbase.data.plain_yaml import dump_plain
from pilotbase.documents.files import File
from pilotbase.documents.loading import build_document
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.hub.base import base
from pilotbase.hub.presenters.taken import file_response
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.computing.claims import zipped_evidence
from pilotbase_estate.computing.told_vouchers import require_named
from pilotbase_estate.documents.voucher import VoucherRules

FILE = "rules.yaml"
_PIECE = 1 << 20


def rules_written(rules: VoucherRules) -> str:
    """Return rules as YAML that `rules_from` reads back."""
    lines = (dump_plain(name, value, "") for name, value in rules.to_json_value().items())
    return "".join(f"{line}\n" for part in lines for line in part)


def rules_from(written: str, programme: str = "") -> VoucherRules:
    """Return the rules that a file states; ``programme``: the one that they must belong to.

    Raises:
        InputError: with every problem, or they are another programme's.
    """
    rules = build_document(VoucherRules, parse_yaml(written.encode(), FILE))
    require_named(rules, programme)
    return rules


def evidence_response(view: View, programme: str) -> StreamingHttpResponse:
    """Return the auditor's folder of a programme as a zip, to operator and regulator; others get none."""
    if not view.actor.sees_all:
        raise NotFoundError("hub.not_found")
    opened = zipped_evidence(base(), view, programme)
    archive = opened.__enter__()

    def pieces() -> Iterator[bytes]:
        try:
            with archive.open("rb") as stream:
                while piece := stream.read(_PIECE):
                    yield piece
        finally:
            opened.__exit__(None, None, None)

    return file_response(File(f"{programme}-evidence.zip", archive.stat().st_size, pieces()))
