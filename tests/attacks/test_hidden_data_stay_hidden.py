"""What a supplier learns of hidden cases from what it is given to read (by the host: tests/hostile/test_traces.py)."""

import json


def digits(number: float) -> int:
    return len(f"{number:.14e}".partition("e")[0].replace(".", "").rstrip("0"))


def test_figures_that_an_application_can_choose_are_coarse_in_the_suppliers_view(trial):
    view = json.loads((trial.proven.folder / "supplier" / "report.json").read_text())
    figures = [value for value in view["performance"].values() if isinstance(value, float)]
    figures += [view["performance"]["memory_peak_bytes"], *view["performance"]["latency_quantiles"].values()]
    figures += [item["estimate"] for item in view["criteria"]]
    assert max(map(digits, figures)) <= 2


def test_the_suppliers_view_does_not_count_hidden_labels(trial):
    view = json.loads((trial.proven.folder / "supplier" / "report.json").read_text())
    assert view["criteria"][0]["rule"].startswith("recall")
    assert not view["criteria"][0].get("available")
