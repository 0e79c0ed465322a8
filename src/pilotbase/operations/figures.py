"""Figures of a base: what everybody may know, and what the caller sees, counted."""

from __future__ import annotations

from pilotbase.documents.api.ledger import FunnelTold, OverviewTold, PublicFigures
from pilotbase.documents.permissions import ReadScope
from pilotbase.operations.operation import Callers, NoInput, Operation

PUBLIC = Operation("figures.public", "GET /figures", NoInput, PublicFigures, callers=Callers.UNASKED, shared=True)
FUNNEL = Operation("figures.funnel", "GET /figures/funnel", NoInput, FunnelTold, who=ReadScope.OVERVIEW)
OVERVIEW = Operation("figures.overview", "GET /figures/overview", NoInput, OverviewTold)
