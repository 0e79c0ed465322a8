"""Whose names are shown to whom: identifiers of people are opaque, their names are the organisation's own matter."""

from __future__ import annotations

from collections.abc import Iterable

from pilotbase.hub.models import Person
from pilotbase.workspace.actors import Actor


def names_shown(actor: Actor, standing: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Return opaque identifier → name of those that ``actor`` may know: colleagues; operator and regulator know all.

    ``standing``: for whom somebody stands there (an organisation), and who.
    """
    known = {person for organisation, person in standing if actor.sees_all or organisation == actor.organisation}
    return dict(Person.objects.filter(identity__in=known - {None}).values_list("identity", "name"))
