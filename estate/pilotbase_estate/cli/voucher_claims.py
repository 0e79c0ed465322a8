"""``pilotbase voucher claim`` and what follows: decisions, pay-out, evidence for the auditor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from pilotbase.cli.framework.terminal import command, print_json, say, warn
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.texts import Text, text
from pilotbase_estate.cli.computing import AsJson, Attempt, Job, Programme, operators_view

if TYPE_CHECKING:
    from pilotbase.workspace.store import View
    from pilotbase_estate.documents.voucher import ClaimDecision, Payment, Side, VoucherClaim
    from pilotbase_estate.vouchers.rows import UseRow


@command
def claim(  # noqa: PLR0913 - each ground of a claim is an option
    job: Job,
    side: Annotated[str, typer.Argument(help="Who claims: supplier or consumer.")],
    attempt: Attempt = 1,
    claimant: Annotated[str, typer.Option(help="Which organisation; default: the one of that side.")] = "",
    receipt: Annotated[
        Path | None, typer.Option(help="File that shows that the fee was paid; its hash is kept.")
    ] = None,
    reference: Annotated[str, typer.Option(help="Number of invoice or receipt; default: the file's name.")] = "",
    amount: Annotated[str, typer.Option(help="How much was paid, such as 980.00.")] = "",
    paid_on: Annotated[str, typer.Option(help="When, such as 2027-03-01; default: today.")] = "",
    payer: Annotated[str, typer.Option(help="Who paid; default: the consumer.")] = "",
    payee: Annotated[str, typer.Option(help="Who was paid; default: the supplier.")] = "",
    also: Annotated[
        list[str] | None, typer.Option(help="Another programme that subsidises this fee; repeat it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Claim what a voucher has paid of a settled job; a refusal names every rule that is not met."""
    from pilotbase.documents.moments import format_day
    from pilotbase_estate.documents.voucher import VoucherClaim

    view = operators_view()
    use = _use(view, job, attempt)
    by = _side(side)
    now = view.store.clock()
    parties = (payer or use.organisation, payee or use.supplier)
    paid = None if receipt is None else _payment(receipt, reference, amount, paid_on or format_day(now), parties)
    made = VoucherClaim(
        job=job,
        attempt=attempt,
        claimant=claimant or (use.supplier if by == "supplier" else use.organisation),
        side=by,
        payment=paid,
        other_subsidies=tuple(also or ()),
        made_at=now,
    )
    _decide(view, made, as_json)


@command
def claims(
    programme: Annotated[str, typer.Option(help="Only of this programme.")] = "", as_json: AsJson = False
) -> None:
    """List claims, newest first."""
    from pydantic import TypeAdapter

    from pilotbase.documents.prices import format_plain
    from pilotbase_estate.vouchers.rows import ClaimRow, seen_claims

    view = operators_view()
    with view.reading() as connection:
        found = seen_claims(connection, view.actor, programme)
    if as_json:
        print_json(TypeAdapter(list[ClaimRow]).dump_python(found, mode="json"))
        return
    for row in found:
        state, side = Text(code=f"voucher.claim.{row.state}"), Text(code=f"voucher.side.{row.side}")
        of = {"claim": row.identity, "job": row.job, "attempt": row.attempt, "claimant": row.claimant}
        say(text("voucher.told.claim", **of, side=side, state=state, amount=format_plain(row.amount)))


@command
def decide(
    claim: Annotated[str, typer.Argument(help="The claim that waits, as claims prints it.")],
    grant: Annotated[bool, typer.Option("--grant/--refuse", help="What is decided.")],
    note: Annotated[str, typer.Option(help="Why; a refusal needs it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Grant or refuse a claim whose programme lets a person look at the evidence."""
    from pilotbase.worker.base import open_base
    from pilotbase_estate.computing.claims import decide_claim
    from pilotbase_estate.vouchers.claiming import ClaimRuling

    base = open_base()
    view = base.lab.view
    _tell(view, decide_claim(base, view, ClaimRuling(claim, grant, note)), as_json, decided=grant)


@command
def pay(
    claim: Annotated[str, typer.Argument(help="The claim, as claim and claims print it.")],
    reference: Annotated[str, typer.Option(help="Number of the transfer.")],
) -> None:
    """Say that a granted claim was paid out."""
    from pilotbase_estate.computing.claims import pay_claim

    view = operators_view()
    new = pay_claim(view, claim, reference)
    say(text("voucher.told.paid", claim=claim) if new else text("voucher.told.paid_before", claim=claim))


@command
def export(
    programme: Programme,
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
) -> None:
    """Write a programme's evidence for the auditor: money, uses, rules, claims, proofs of the log."""
    from pilotbase.worker.base import open_base
    from pilotbase_estate.computing.claims import export_evidence

    base = open_base()
    moves = export_evidence(base, base.lab.view, programme, folder)
    say(text("voucher.told.exported", programme=programme, folder=folder, moves=moves))


@command
def audit(
    folder: Annotated[Path, typer.Argument(help="Folder that export has written.")],
    key: Annotated[str, typer.Option(help="The base's public key, or a file with it; default: the folder's own.")] = "",
    as_json: AsJson = False,
) -> None:
    """Compute every sum of a programme's evidence again, offline; exit 0 when all of it holds, 3 when not."""
    from pilotbase_estate.vouchers.auditing import audit

    found = audit(folder, _key(key))
    if as_json:
        problems = [problem.model_dump(mode="json") for problem in found.problems]
        print_json({**vars(found), "problems": problems})
    else:
        for problem in found.problems:
            warn(problem)
    if found.problems:
        raise InvalidProofError("voucher.audit_failed", count=len(found.problems))
    if not as_json:
        sums = {"moves": found.moves, "settlements": found.settlements, "claims": found.claims}
        say(text("voucher.told.audited", programme=found.programme, **sums))
        say(text("voucher.told.key", key=found.key))


def _decide(view: View, made: VoucherClaim, as_json: bool) -> None:
    from pilotbase.catalogue.records import declared_ties
    from pilotbase_estate.vouchers.claiming import claim

    ties = declared_ties(view)
    with view.transaction("voucher.claimed") as change:
        decision = claim(view.within(change), change, made, ties)
    _tell(view, decision, as_json)


def _tell(view: View, decision: ClaimDecision, as_json: bool, decided: bool = True) -> None:
    """Print the result of a claim; one that was to be granted and is refused is an error."""
    from pilotbase_estate.documents.voucher import VoucherRules
    from pilotbase_estate.vouchers.rules import joined

    if as_json:
        print_json(decision.to_json_value())
    if decision.failed and decided:
        raise RefusedError("voucher.not_granted", claim=decision.claim, reason=joined(decision.failed))
    if not as_json:
        amount = view.load(decision.rules, VoucherRules).spell(decision.amount)
        told = "refused" if decision.failed else "waits" if decision.waits else "granted"
        say(Text(code=f"voucher.told.{told}", params={"claim": decision.claim, "amount": amount}))


def _payment(receipt: Path, reference: str, amount: str, paid_on: str, parties: tuple[str, str]) -> Payment:
    from pilotbase.documents.files import reading
    from pilotbase.documents.hashes import digest_file
    from pilotbase.documents.prices import read_money
    from pilotbase_estate.documents.voucher import Payment

    with reading(receipt):
        evidence = digest_file(receipt)
    return Payment(
        reference=reference or receipt.name,
        evidence=evidence,
        amount=read_money(amount),
        paid_on=paid_on,
        payer=parties[0],
        payee=parties[1],
    )


def _use(view: View, job: str, attempt: int) -> UseRow:
    from pilotbase.workspace.failures import NotFoundError
    from pilotbase_estate.vouchers.rows import find_use

    with view.reading() as connection:
        use = find_use(connection, job, attempt)
    if use is None:
        raise NotFoundError("voucher.no_hold", job=job, attempt=attempt)
    return use


def _side(side: str) -> Side:
    from pilotbase_estate.documents.voucher import Side

    if side not in get_args(Side):
        raise InputError("voucher.no_side", found=side)
    return cast(Side, side)


def _key(key: str) -> str:
    """Return a key given as text, or in a file of that name."""
    try:
        return Path(key).read_text("utf-8") if key and Path(key).is_file() else key
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("input.unreadable_file", file=key, reason=str(error)) from None
