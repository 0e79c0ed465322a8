"""The tables of vouchers: their state, what they pay, who claimed. Migrations build them; a test compares the two.

Money is in accounts and postings; these rows record its purpose, and change in the same transaction.
"""

from __future__ import annotations

from pilotbase.workspace.columns import check, counts, index, key, moments, numbers, table, unique, words

vouchers = table(
    "vouchers",
    *words(identity=32, programme=63, organisation=120),
    *numbers("amount"),
    *words(state=12, rules=71, digest=71),
    *moments("issued_at", "expires_at"),
    key("identity"),
    index("vouchers_of", "organisation", "issued_at"),
    index("vouchers_expiring", "state", "expires_at"),
    check("vouchers_amount", "amount > 0"),
)
"""``rules``: digest of the rules that it was issued under; ``digest``: its document."""

voucher_uses = table(
    "voucher_uses",
    *words(job=100),
    *counts("attempt"),
    *words(voucher=32, programme=63, organisation=120, supplier=120, state=12),
    *counts("year"),
    *numbers("held", "subsidy"),
    *words(hold=71, settlement=71),
    *moments("held_at", "lapses_at"),
    key("job", "attempt"),
    index("voucher_uses_of", "voucher", "held_at"),
    index("voucher_uses_lapsing", "state", "lapses_at"),
    check("voucher_uses_amounts", "held > 0 and subsidy >= 0 and subsidy <= held"),
)
"""One attempt of a job, paid by one voucher. ``hold`` and ``settlement`` are documents; '': not settled yet."""

voucher_claims = table(
    "voucher_claims",
    *words(identity=71, job=100),
    *counts("attempt"),
    *words(programme=63, claimant=120, side=12, state=12),
    *counts("year"),
    *numbers("amount", "fee"),
    *words(payment=71, decision=71),
    *moments("claimed_at"),
    key("identity"),
    index("voucher_claims_once", "job", "attempt", unique=True, where="state in ('waiting', 'granted', 'paid')"),
    index("voucher_claims_payment", "payment"),
    index("voucher_claims_year", "claimant", "programme", "year"),
)
"""``identity`` is the digest of the claim. In any race, a use is claimed once: by supplier or consumer, never both.

``fee`` is what the claim states as paid for this use by ``payment``, the digest of the evidence; '': none given.
"""

voucher_moves = table(
    "voucher_moves",
    *words(programme=63),
    *numbers("place"),
    *words(transfer=200, step=12, voucher=32, job=100),
    *counts("attempt"),
    *numbers("amount"),
    *moments("moved_at"),
    key("programme", "place"),
    unique("transfer"),
    index("voucher_moves_of", "voucher", "place"),
)
"""Every movement of a programme's money, numbered without gaps; ``transfer`` names it in ``postings``."""

voucher_payers = table("voucher_payers", *words(service=63, voucher=32, pool=63), *moments("since"), key("service"))
"""Which voucher pays the calls of a service, at the prices of which pool, from when."""
