"""What each mistake costs, as a table of fields: a row for each true class, a column for each answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from django import forms
from django.utils.html import format_html, format_html_join

from pilotbase.documents.criteria import cost_of, spell_mistakes
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import LONGEST_COSTS, read_mistakes
from pilotbase.documents.texts import make_visible, text
from pilotbase.hub.acting import language
from pilotbase.hub.sentences import asked

_FEWEST, _MOST = 3, 8
"""Classes of which a table is offered; of more, costs are written line by line."""


class MistakesTable(forms.Textarea):
    """The table of ``classes``, of the column ``about``; until they are known, nothing or what was written."""

    use_fieldset = True

    def __init__(self, classes: Sequence[str] = (), about: str = "") -> None:
        super().__init__(attrs={"rows": 3})
        self.classes, self.about = tuple(classes), about

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """Return the costs as a rule spells them; those that were filled in for another column do not count."""
        if f"{name}_of" not in data:
            return super().value_from_datadict(data, files, name)
        if data[f"{name}_of"] != data.get("target", ""):
            return ""
        pairs = [one for one in data if one.startswith(f"{name}:")]
        return spell_mistakes({_pair(one): str(data[one]).strip() for one in pairs})

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        few, many = len(self.classes) < _FEWEST, len(self.classes) > _MOST
        shown = super().render(name, value, attrs, renderer) if many or (few and value) else self._table(name, value)
        lines = format_html('<p class="help">{}</p>', text("hub.mistakes_lines").render(language())) if many else ""
        return format_html('<div id="{}">{}{}</div>', name, shown, lines)

    def _table(self, name: str, value: Any) -> Any:
        if len(self.classes) < _FEWEST:
            return format_html('<p class="empty">{}</p>', text("hub.mistakes_of_three").render(language()))
        known, words = _known(value), [make_visible(one) for one in self.classes]
        heads = format_html_join("", '<th scope="col">{}</th>', ((one,) for one in words))
        rows = format_html_join(
            "",
            '<tr><th scope="row">{}</th>{}</tr>',
            ((words[at], self._row(name, true, known)) for at, true in enumerate(self.classes)),
        )
        return format_html(
            '<input type="hidden" name="{}_of" value="{}"><div class="table-scroll"><table class="mistakes"><thead><tr>'
            '<th scope="col">{}</th>{}</tr></thead><tbody>{}</tbody></table></div>',
            name, self.about, text("hub.mistakes_corner").render(language()), heads, rows,
        )  # fmt: skip

    def _row(self, name: str, true: str, known: Mapping[str, Decimal]) -> Any:
        return format_html_join("", "<td>{}</td>", ((self._cell(name, true, one, known),) for one in self.classes))

    def _cell(self, name: str, true: str, answered: str, known: Mapping[str, Decimal]) -> Any:
        if true == answered:
            return "–"
        cost = cost_of(known, true, answered)
        said = text("hub.mistake", true=true, answered=answered).render(language(), make_visible)
        place = f"{name}:{quote(true, safe='')}:{quote(answered, safe='')}"
        return format_html(
            '<input type="number" min="0" step="any" name="{}" id="{}" value="{}" aria-label="{}">',
            place, place, "" if cost is None else f"{cost.normalize():f}", said,
        )  # fmt: skip


class MistakesField(forms.CharField):
    """What each mistake costs, spelled as in a rule."""

    widget = MistakesTable

    def __init__(self) -> None:
        super().__init__(**asked("hub.field_mistakes", "hub.help_mistakes"), required=False, max_length=LONGEST_COSTS)


def _pair(place: str) -> tuple[str, str]:
    _, true, answered = place.split(":", 2)
    return unquote(true), unquote(answered)


def _known(value: Any) -> Mapping[str, Decimal]:
    """Return the costs that ``value`` spells; none where it can't be read, which the form says."""
    try:
        return read_mistakes(str(value)).mistakes if value else {}
    except InputError:
        return {}
