"""The form by which private statistics are asked for: first its price is shown, then it is sent again to be paid."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django import forms

from pilotbase.data.private.grids import read_date_range
from pilotbase.data.private.synthetic import LEAST_ROWS
from pilotbase.documents.api.statistics import NewStatistics
from pilotbase.documents.private import MOST_CONTRIBUTIONS
from pilotbase.documents.terms import MILLIONTHS
from pilotbase.hub.sentences import t

MOST_ROWS = 100_000
"""Of a sample that is asked for on a page."""


class StatisticsForm(forms.Form):
    """What is asked, and how much of ε it may spend."""

    what = forms.ChoiceField(label=t("statistics.what"), widget=forms.RadioSelect, initial="profile")
    record_set = forms.ChoiceField(label=t("statistics.record_set"))
    epsilon = forms.DecimalField(
        label=t("statistics.epsilon"),
        help_text=t("statistics.epsilon_help"),
        min_value=Decimal("0.000001"),
        max_value=100,
        decimal_places=6,
        initial=Decimal("0.5"),
    )
    rows = forms.IntegerField(
        label=t("statistics.rows"),
        help_text=t("statistics.rows_help"),
        min_value=LEAST_ROWS,
        max_value=MOST_ROWS,
        initial=1000,
        required=False,
    )
    at_most = forms.IntegerField(
        label=t("statistics.at_most"),
        help_text=t("statistics.at_most_help"),
        min_value=1,
        max_value=MOST_CONTRIBUTIONS,
        initial=1,
        required=False,
    )
    dates = forms.CharField(
        label=t("statistics.dates"),
        help_text=t("statistics.dates_help"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    name = forms.CharField(
        label=t("statistics.again"), help_text=t("statistics.again_help"), max_length=100, required=False
    )

    def __init__(self, record_sets: Sequence[str], *given: object, **options: object) -> None:
        super().__init__(*given, **options)  # type: ignore[arg-type]
        words = [(one, t(f"statistics.{one}")) for one in ("profile", "sample")]
        self.fields["what"].choices = words  # type: ignore[attr-defined]
        self.fields["record_set"].choices = [(one, one) for one in record_sets]  # type: ignore[attr-defined]

    def wanted(self) -> NewStatistics:
        """Return what is asked for."""
        given = self.cleaned_data
        sample = given["what"] == "sample"
        return NewStatistics(
            record_set=given["record_set"],
            epsilon=int(given["epsilon"] * MILLIONTHS),
            rows=(given["rows"] or 1000) if sample else 0,
            at_most=given["at_most"] or 1,
            dates=[read_date_range(line.strip()) for line in given["dates"].splitlines() if line.strip()],
            name=given["name"],
        )
