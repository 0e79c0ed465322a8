"""What-ifs over the API: what a pool has run, played by other rules. For operator and regulator."""

from __future__ import annotations

from django.http import HttpResponse
from ninja import Path, Router

from pilotbase.documents.api.what_ifs import NewWhatIf, WhatIfTold
from pilotbase.documents.base import Name
from pilotbase.documents.pool_replay import PoolReplay
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, document, once, told
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Identity
from pilotbase.hub.base import base
from pilotbase.hub.shown.what_ifs import what_if_told
from pilotbase.worker.computing.what_if import find_what_if, order_what_if, replay_of, take_back, what_ifs
from pilotbase.workspace.store import View

router = Router(tags=["pools"], auth=MEMBERS)
PoolName = Path[Name]


@router.get("/pools/{pool}/what-ifs", response=answers(list[WhatIfTold]), summary="What-ifs of a pool")
def read_all(request: HubRequest, pool: PoolName) -> list[WhatIfTold]:
    """Return the newest what-ifs of a pool, the last one first."""
    return [what_if_told(one) for one in what_ifs(request.acting.view, pool)]


@router.post("/pools/{pool}/what-ifs", response=answers(WhatIfTold, 202), summary="Ask what if")
def ask(request: HubRequest, given: NewWhatIf, pool: PoolName) -> HttpResponse:
    """Have a worker play what a pool has run under several policies, by its rules or by those that are considered."""

    def act(view: View) -> HttpResponse:
        made = order_what_if(view, pool, given)
        return told(what_if_told(made), 202, f"/api/pools/{pool}/what-ifs/{made.order.identity}")

    return once(request, act)


@router.get("/pools/{pool}/what-ifs/{asked}", response=answers(WhatIfTold), summary="A what-if")
def read(request: HubRequest, pool: PoolName, asked: Identity) -> WhatIfTold:
    """Return what was asked, and how far it is."""
    return what_if_told(find_what_if(request.acting.view, pool, asked))


@router.get("/pools/{pool}/what-ifs/{asked}/replay", response=answers(PoolReplay), summary="The figures of a what-if")
def read_replay(request: HubRequest, pool: PoolName, asked: Identity) -> HttpResponse:
    """Return the figures once it is played, for 90 days: the document that the command line writes, too."""
    view = request.acting.view
    return document(request, replay_of(base(), find_what_if(view, pool, asked)))


@router.post("/pools/{pool}/what-ifs/{asked}/cancel", response=answers(WhatIfTold), summary="Take a what-if back")
def cancel(request: HubRequest, pool: PoolName, asked: Identity) -> HttpResponse:
    """Take back a what-if of one's own organisation; the operator any. One that is being played stops soon."""

    def act(view: View) -> HttpResponse:
        return told(what_if_told(take_back(view, pool, asked)))

    return once(request, act)
