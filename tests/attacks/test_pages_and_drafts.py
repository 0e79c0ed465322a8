"""Strings of owners and suppliers where they would be code: the page, the draft of an application."""

import ast
import json
from html.parser import HTMLParser

from pilotbase.worker.intake.drafting import new_application
from pilotbase.worker.trials.proving import rehearse_in
from tests.attacks.conftest import manifest, write_odd

LABEL = 'br"o<b>ken</b>'
OTHER = "=cmd|'/c calc'!A1\n</script>"


class Live(HTMLParser):
    """Collects what a browser would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attributes):
        named = [name for name, value in attributes if name.startswith("on") or "javascript:" in (value or "")]
        if named or tag in ("script", "img", "i", "b", "iframe", "object", "link"):
            self.found.append(f"{tag} {attributes}")


def hostile(content: str) -> str:
    title = json.dumps("</title><script>alert(1)</script>\x1b[2J")
    changes = {
        "{en: Small alarm, zh: 小型预警}": title,
        "positive: broken": f"positive: {json.dumps(LABEL)}",
        "{rule: recall(broken) >= 0.7}": "{rule: worst(accuracy by site) >= 0.1, why: '<svg onload=alert(2)>'}",
        "unit: bar": "unit: '<img src=x onerror=alert(3)>'",
    }
    for old, new in changes.items():
        assert old in content
        content = content.replace(old, new)
    return content


def test_no_string_of_owner_or_supplier_is_markup_on_the_page(base, write_scenario, tmp_path):
    scenario = write_scenario(rows=200, change=hostile)
    quoted = {"broken": LABEL, "fine": OTHER, "south": "<i onmouseover=alert(4)>"}
    content = (scenario / "cases.csv").read_text()
    for plain, value in quoted.items():
        content = content.replace(plain, '"' + value.replace('"', '""') + '"')
    (scenario / "cases.csv").write_text(content)
    card = manifest("odd").replace("title: odd", f"title: {json.dumps('<script>alert(5)</script>‮')}")
    card = card.replace("A test.", "'<img src=x onerror=alert(6)>'").replace("licence: MIT", "licence: '<b>'")
    program = f"def predict(batch):\n    return [{LABEL!r} if p > 6 else {OTHER!r} for p in batch['pressure']]\n"
    rehearsed = rehearse_in(base, scenario, write_odd(tmp_path / "odd", card, program))
    page = (rehearsed.folder / "report.html").read_text()
    assert rehearsed.passed
    assert "alert(5)" in page
    reader = Live()
    reader.feed(page)
    assert reader.found == []
    assert not {"‮", "\x1b"} & set(page)


def test_a_drafted_application_holds_no_code_of_the_scenario(write_scenario, tmp_path):
    description = 'x\n    """\n    import os; os.system("id")\n    """'
    scenario = write_scenario(
        change=lambda content: content.replace("unit: d}", f"unit: d, description: {json.dumps(description)}}}")
    )
    new_application(scenario, tmp_path / "draft", "acme")
    tree = ast.parse((tmp_path / "draft" / "app.py").read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.Call)]
