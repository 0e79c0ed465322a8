"""The page: one file in two languages, nothing loaded, nothing run, quick to open at any width, true to the report."""

from __future__ import annotations

import base64
import hashlib
import re

import polars as pl
import pytest

from pilotbase.data.quality.measuring import ReferenceData, measure_quality
from pilotbase.data.quality.page import format_share, render_quality
from pilotbase.documents.dataset import DataField, Dataset, FieldType, RecordSet
from pilotbase.documents.quality import METHOD
from pilotbase.documents.scenario import Contact
from pilotbase.documents.texts import LANGUAGES
from tests.data.quality.planted_for_tests import PLANTED, clean_table, description, device_table


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    table = clean_table(300)
    PLANTED["record_completeness"][0].plant(table, [7, 9, 11])
    table["site"][3] = "<script>alert(1)</script>\u202e"
    pl.DataFrame(table).write_csv(folder / "records.csv")
    device_table().write_parquet(folder / "devices.parquet")
    files = {"records": folder / "records.csv", "devices": folder / "devices.parquet"}
    return {language: render_quality(measure_quality(description(), files), language) for language in LANGUAGES}


def test_it_loads_and_runs_nothing(page):
    for content in page.values():
        style = re.search(r"<style>(.*?)</style>", content, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"default-src 'none'; style-src 'sha256-{digest}'" in content
        assert not re.search(r"<script|<link|<img|@import|url\(|style=|href=|src=", content)


def test_what_strangers_wrote_is_escaped_and_what_hides_is_shown(page):
    assert "&lt;script&gt;" in page["en"] and "\u202e" not in page["en"]


def test_both_languages_say_the_same_figures(page):
    parts = re.split(r'<div class="page" id="page-(?:en|zh)"', page["en"])[1:]
    english, chinese = (
        [re.sub(r"\s", "", one) for one in re.findall(r'class="figure strong[^>]*>([^<]*)', part)] for part in parts
    )
    assert english == chinese and len(english) > 20
    assert re.search("[\u4e00-\u9fff]", parts[1]) and "缺失情况" in parts[1] and "Missing values" in parts[0]


def test_it_claims_no_conformity(page):
    assert f"ISO/IEC 5259-2-aligned, method {METHOD}" in page["en"]
    assert "conformant" not in page["en"].lower() and "符合 ISO" not in page["zh"]


def test_the_rule_that_fails_stands_open_with_its_rows(page):
    row = re.search(r"<tr>\s*<td><code>required temperature</code>.*?</tr>", page["en"], re.S)[0]
    assert "8, 10, 12" in row and page["en"].index(row) < page["en"].index(
        "<details>", page["en"].index("Rules of the")
    )


@pytest.mark.parametrize("shown", LANGUAGES)
def test_the_language_asked_for_is_shown_first(page, shown):
    checked = re.search(r'id="language-(..)"[^>]* checked', page[shown])
    assert checked[1] == shown


def test_ten_thousand_columns_fold(tmp_path):
    names = [f"column {number}" for number in range(200)]
    pl.DataFrame({name: [1, 2, None] for name in names}).write_parquet(path := tmp_path / "wide.parquet")
    fields = tuple(DataField(name=name, data_type=FieldType.INTEGER, required=True) for name in names)
    wide = RecordSet(name="wide", fields=fields)
    dataset = Dataset(name="wide", title="Wide", owner=Contact(organisation="plant"), record_sets=(wide,))
    report = measure_quality(dataset, {"wide": path}, ReferenceData(quick=True))
    assert len([rule for rule in report.rules if rule.failed]) == 200
    profile = report.profiles[0].model_copy(update={"fields": 50 * report.profiles[0].fields})
    content = render_quality(report.model_copy(update={"rules": 50 * report.rules, "profiles": (profile,)}))
    assert len(content) < 1_500_000 and content.count("<tr>") < 4_000
    assert f"{20_000 - 40 - 400:,} more in quality.json" in content


@pytest.mark.parametrize(
    ("value", "spelled"), [(1, "1.0000"), (0.99999999, "1 - 1.0e-08"), (0, "0.0000"), (1e-6, "1.0e-06"), (None, "–")]
)
def test_no_figure_is_rounded_to_perfect(value, spelled):
    assert format_share(value) == spelled
