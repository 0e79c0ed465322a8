"""Programmes of vouchers: rules as the file that people write."""

from __future__ import annotations

from pilotbase.data.scenario_yaml import dump_plain
from pilotbase.documents.loading import build_document
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase_estate.computing.told_vouchers import require_named
from pilotbase_estate.documents.voucher import VoucherRules

FILE = "rules.yaml"


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
