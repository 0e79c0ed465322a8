"""What people read of gathered labels and their quality, a sentence a line."""

from __future__ import annotations

from collections.abc import Iterator

from pilotbase.data.labelling.gathering import Gathered
from pilotbase.documents.label_statement import LabelFigure
from pilotbase.documents.labelling import LabelQuality
from pilotbase.documents.texts import Text, text


def gathered_lines(gathered: Gathered) -> Iterator[Text]:
    """Yield what was read, and what was in the files and does not count."""
    annotators = {one.annotator for one in gathered.annotations}
    yield text(
        "labelling.gathered",
        labels=len(gathered.annotations),
        items=len(gathered.by_item),
        annotators=len(annotators),
        files=len(gathered.sources),
    )
    for kind, count in sorted(gathered.left_out.items()):
        if count:
            yield text("labelling.left_out", count=count, what=text(f"labelling.left_out.{kind}"))


def quality_lines(quality: LabelQuality) -> Iterator[Text]:
    """Yield counts, figures with their intervals, and the classes on which annotators agree least."""
    yield text(
        "labelling.counts",
        items=quality.items,
        doubles=quality.double_labelled,
        differing=quality.disagreements,
        decided=quality.adjudicated,
        undecided=quality.undecided,
    )
    yield from map(figure_line, quality.figures)
    for one in quality.by_class:
        if one.value is not None:
            yield text("labelling.by_class", label=one.label, value=f"{one.value:.3f}", labels=one.labels)
    for pair in quality.confusion:
        if pair.first != pair.second:
            yield text("labelling.confused", first=pair.first, second=pair.second, pairs=pair.pairs)


def figure_line(figure: LabelFigure) -> Text:
    """Return one figure with its interval, or why it is not measured."""
    name = text(f"labelling.figure.{figure.measure}")
    reason = text(f"labelling.unmeasured.{figure.unmeasured}") if figure.unmeasured else None
    if figure.value is None:
        return text("labelling.figure_unmeasured", name=name, reason=reason)
    value = f"{figure.value:.3f}"
    if figure.lower is None or figure.upper is None:
        return text("labelling.figure_alone", name=name, value=value, items=figure.items, reason=reason)
    bounds = {"lower": f"{figure.lower:.3f}", "upper": f"{figure.upper:.3f}"}
    return text("labelling.figure", name=name, value=value, items=figure.items, **bounds)
