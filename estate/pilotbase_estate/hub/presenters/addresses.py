"""Where things of the estate stand on the hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.urls import reverse

ADDRESSES: Mapping[str, Callable[[str], str]] = {
    "pool": lambda name: reverse("pool", kwargs={"name": name}),
    "voucher-claim": lambda claim: reverse("claim", kwargs={"claim": claim}),
}
"""Kind of subject → the path of its page, by name."""
