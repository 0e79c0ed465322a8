"""A service that stands in a store, and batches for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pilotbase.documents.observation import LabelBatch, ObservationBatch, Scalar
from pilotbase.documents.service import EndpointRoute, Service
from pilotbase.documents.vocabularies import CallEnd, Role
from pilotbase.watch.observations import ingest, require_taken
from pilotbase.workspace.actors import actor, parties
from pilotbase.workspace.store import Store, View

BASE = actor("base", Role.OPERATOR)
PLANT = actor("plant", Role.DEMAND_OWNER, person="ada")
ACME = actor("acme", Role.SUPPLIER, person="bo")
OTHER = actor("other", Role.DEMAND_OWNER, person="eve")
WATCHED, EARLIER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def open_service(store: Store, name: str = "milling") -> View:
    """Let a service of the plant stand in the store, which acme sees; return the base's view."""
    view = store.as_actor(BASE)
    route = EndpointRoute(override=f"sha256:{'0' * 64}", protocol="oip", url="http://127.0.0.1:1", model="m")
    service = Service(name=name, title="Milling", organisation="plant", routes=(route,))
    with view.transaction("service.opened") as change:
        digest = change.put(service, parties("acme"), owner="plant", fields={"name": name})
        change.set_head(f"service:{name}", digest, expected=None)
    return view


def observed(
    name: str,
    at: datetime,
    cases: Mapping[str, Scalar],
    service: str = "milling",
    version: str | None = WATCHED,
    inputs: Mapping[str, Sequence[Scalar]] | None = None,
) -> ObservationBatch:
    """Return a batch of cases with what was answered of each."""
    return ObservationBatch(
        service=service,
        batch=name,
        at=at,
        version=version,
        end=CallEnd.ANSWERED,
        milliseconds=12.5,
        ids=tuple(cases),
        inputs={column: tuple(values) for column, values in (inputs or {}).items()},
        answers=tuple(cases.values()),
    )


def labelled(name: str, labels: Mapping[str, Scalar], service: str = "milling") -> LabelBatch:
    """Return a batch of labels."""
    return LabelBatch(service=service, batch=name, labels=dict(labels))


def ago(now: datetime, **span: float) -> datetime:
    """Return a moment so long before now."""
    return now - timedelta(**span)


def take_in(view: View, *batches: ObservationBatch | LabelBatch) -> None:
    """Take batches in; each must be taken."""
    require_taken(ingest(view, batches))
