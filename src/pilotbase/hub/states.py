"""How a state looks: a shape and a colour beside its word. Red is for what is bad, and for nothing else."""

from __future__ import annotations

_LOOKS = {
    "pass": "open submitted registered certified accepted frozen plan_approved agreed accept valid done finished good",
    "fail": "revoked refused reject fail invalid failed expired",
    "wait": "review proposed countered plan_review rectification retest suspended reported inconclusive unknown queued",
    "run": "running freezing signing rehearsing",
    "stop": "closed withdrawn declined cancelled stopped",
}
LOOK = {state: look for look, states in _LOOKS.items() for state in states.split()}
"""State → class of the stylesheet; what is not here (a draft) has an empty circle."""
