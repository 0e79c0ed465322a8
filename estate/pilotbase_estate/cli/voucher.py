"""``pilotbase voucher``: programmes, prices, vouchers, what they pay of jobs and services' calls, and claims on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from pilotbase.cli.framework.terminal import command, print_json, say, warn
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, text
from pilotbase_estate.cli.computing import AsJson, Attempt, Job, Programme, demand_of, operators_view

if TYPE_CHECKING:
    from pilotbase.workspace.store import View
    from pilotbase_estate.documents.voucher import ClaimDecision, Payment, Settlement, Side, VoucherClaim
    from pilotbase_estate.vouchers.rows import UseRow
    from pilotbase_estate.vouchers.wallet import Wallet

app = typer.Typer(help="Vouchers for computing power: issue, pay, claim, audit.", no_args_is_help=True)
VoucherId = Annotated[str, typer.Argument(help="The voucher, as issue and wallet print it.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the log.", prompt="Why")]


@app.command("rules")
@command
def rules(
    file: Annotated[Path, typer.Argument(help="YAML file with the rules.")],
) -> None:
    """Set the rules of a programme; vouchers issued before keep theirs."""
    from pilotbase.documents.loading import load_document
    from pilotbase_estate.documents.voucher import VoucherRules
    from pilotbase_estate.vouchers.wallet import set_rules

    brought = load_document(VoucherRules, file)
    digest = set_rules(operators_view(), brought)
    say(text("voucher.told.rules", programme=brought.name, digest=digest))


@app.command("prices")
@command
def prices(
    file: Annotated[Path, typer.Argument(help="YAML file with the prices.")],
) -> None:
    """Set the prices of a pool; what is on hold is settled at the prices that it was held at."""
    from pilotbase.documents.estimate import PriceList
    from pilotbase.documents.loading import load_document
    from pilotbase_estate.vouchers.wallet import set_prices

    brought = load_document(PriceList, file)
    digest = set_prices(operators_view(), brought)
    say(text("voucher.told.prices", pool=brought.pool, digest=digest))


@app.command("issue")
@command
def issue(
    programme: Programme,
    organisation: Annotated[str, typer.Argument(help="Who gets it.")],
    amount: Annotated[str, typer.Argument(help="How much, such as 5000 or 4999.50.")],
    as_json: AsJson = False,
) -> None:
    """Issue a voucher out of a programme's fund."""
    from pilotbase.documents.estimate import read_money
    from pilotbase_estate.vouchers.ledger import issue

    found = issue(operators_view(), programme, organisation, read_money(amount))
    if as_json:
        print_json(found.to_json_value())
    else:
        until = format_minute(found.expires_at)
        say(text("voucher.told.issued", voucher=found.identity, organisation=organisation, until=until))


@app.command("revoke")
@command
def revoke(voucher: VoucherId, reason: Reason) -> None:
    """Take back what a voucher has free; what is on hold is still settled."""
    from pilotbase_estate.vouchers.ledger import revoke

    revoke(operators_view(), voucher, reason)
    say(text("voucher.told.revoked", voucher=voucher))


@app.command("wallet")
@command
def wallet(organisation: Annotated[str, typer.Argument(help="Whose.")], as_json: AsJson = False) -> None:
    """Show what an organisation's vouchers have, what is on hold, what moved, what is left of the year's cap."""
    from pydantic import TypeAdapter

    from pilotbase_estate.vouchers.wallet import Wallet, wallet

    found = wallet(operators_view(), organisation)
    if as_json:
        print_json(TypeAdapter(Wallet).dump_python(found, mode="json"))
    else:
        _print_wallet(found)


@app.command("hold")
@command
def hold(  # noqa: PLR0913 - each thing that is asked for is an option
    voucher: VoucherId,
    job: Job,
    pool: Annotated[str, typer.Argument(help="In which pool it runs.")],
    attempt: Attempt = 1,
    of: Annotated[list[str] | None, typer.Option(help="What it needs, such as cpu=4 or gpu/t4=1; repeat it.")] = None,
    hours: Annotated[float, typer.Option(help="The longest that it may run.", min=0.0003)] = 1.0,
    calls: Annotated[int, typer.Option(help="Calls of a service that it pays.", min=0)] = 0,
    tokens: Annotated[int, typer.Option(help="Tokens of a service that it pays.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Put on hold what a voucher pays of a job at the most; the queue does it when a job is submitted."""
    from pilotbase.catalogue.records import declared_ties
    from pilotbase_estate.vouchers.ledger import VoucherOrder, hold

    view = operators_view()
    order = VoucherOrder(job, attempt, voucher, pool, demand_of(of or []), round(hours * 3600), calls, tokens)
    ties = declared_ties(view)
    with view.transaction("voucher.held") as change:
        here = view.within(change)
        found = hold(here, change, order, ties)
        spelled = _spelled(here, found.rules, {"held": found.held, "cost": found.cost})
    if as_json:
        print_json(found.to_json_value())
    else:
        say(text("voucher.told.held", job=job, until=format_minute(found.deadline), **spelled))


@app.command("settle")
@command
def settle(
    file: Annotated[Path, typer.Argument(help="YAML or JSON file with what was used.")],
    as_json: AsJson = False,
) -> None:
    """Settle a hold on metered use; the queue does it when a job has ended."""
    from pilotbase.documents.loading import load_document
    from pilotbase_estate.documents.voucher import UsageSheet, VoucherHold
    from pilotbase_estate.vouchers.settling import settle

    view, sheet = operators_view(), load_document(UsageSheet, file)
    with view.transaction("voucher.settled") as change:
        here = view.within(change)
        found = settle(here, change, sheet)
        sums = {"cost": found.cost, "subsidy": found.subsidy, "own": found.own}
        spelled = _spelled(here, here.load(found.hold, VoucherHold).rules, sums)
    if as_json:
        print_json(found.to_json_value())
    else:
        _print_settlement(found, spelled)


@app.command("release")
@command
def release(job: Job, attempt: Attempt = 1) -> None:
    """Let a hold go whose job never ran, or failed by the platform's fault."""
    from pilotbase_estate.vouchers.ledger import release

    view = operators_view()
    with view.transaction("voucher.released") as change:
        let_go = release(view.within(change), change, job, attempt)
    say(text("voucher.told.released", job=job) if let_go else text("voucher.told.nothing", job=job))


@app.command("refund")
@command
def refund(job: Job, reason: Reason, attempt: Attempt = 1) -> None:
    """Give back what a voucher has paid of a settled job, by the platform's fault."""
    from pilotbase_estate.vouchers.ledger import refund

    view = operators_view()
    with view.transaction("voucher.refunded") as change:
        given = refund(view.within(change), change, job, attempt, reason)
    say(text("voucher.told.refunded", job=job) if given else text("voucher.told.nothing", job=job))


@app.command("calls")
@command
def calls(
    service: Annotated[str, typer.Argument(help="Name of the service.")],
    voucher: VoucherId,
    pool: Annotated[str, typer.Argument(help="At whose prices.")],
) -> None:
    """Let a voucher pay the calls of a service from this hour on; the worker settles each hour when it has closed."""
    from pilotbase_estate.computing.told_vouchers import pay_calls_of

    since = pay_calls_of(operators_view(), service, voucher, pool).since
    say(text("voucher.told.pays_calls", voucher=voucher, service=service, since=format_minute(since)))


@app.command("uses")
@command
def uses(voucher: Annotated[str, typer.Option(help="Only of this voucher.")] = "", as_json: AsJson = False) -> None:
    """List what vouchers pay, newest first."""
    from pydantic import TypeAdapter

    from pilotbase.documents.estimate import format_plain
    from pilotbase_estate.vouchers.rows import UseRow, seen_uses

    view = operators_view()
    with view.reading() as connection:
        found = seen_uses(connection, view.actor, voucher)
    if as_json:
        print_json(TypeAdapter(list[UseRow]).dump_python(found, mode="json"))
        return
    for use in found:
        state = Text(code=f"voucher.use.{use.state}")
        of = {"job": use.job, "attempt": use.attempt, "organisation": use.organisation, "supplier": use.supplier}
        say(text("voucher.told.use", **of, state=state, held=format_plain(use.held), subsidy=format_plain(use.subsidy)))


@app.command("claim")
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


@app.command("claims")
@command
def claims(
    programme: Annotated[str, typer.Option(help="Only of this programme.")] = "", as_json: AsJson = False
) -> None:
    """List claims, newest first."""
    from pydantic import TypeAdapter

    from pilotbase.documents.estimate import format_plain
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


@app.command("decide")
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


@app.command("pay")
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


@app.command("export")
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


@app.command("audit")
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
    from pilotbase.documents.estimate import read_money
    from pilotbase.documents.files import reading
    from pilotbase.documents.hashes import digest_file
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


def _print_wallet(found: Wallet) -> None:
    from pilotbase.documents.estimate import format_plain

    if not found.vouchers:
        say(text("voucher.told.no_vouchers", organisation=found.organisation))
    for one in found.vouchers:
        state = Text(code=f"voucher.state.{one.state}")
        sums = {"free": format_plain(one.free), "held": format_plain(one.held), "used": format_plain(one.used)}
        of = {"voucher": one.voucher.identity, "programme": one.voucher.programme, "currency": one.currency}
        say(text("voucher.told.voucher", **of, **sums, state=state, until=format_minute(one.voucher.expires_at)))
    for year in found.years:
        sums = {
            "taken": format_plain(year.taken),
            "left": format_plain(year.left),
            "granted": format_plain(year.granted),
        }
        of = {"programme": year.programme, "currency": year.currency, "paid": format_plain(year.paid)}
        say(text("voucher.told.year", year=year.year, **of, **sums))
    for move in found.movements:
        step, about = Text(code=f"voucher.step.{move.step}"), move.job or move.voucher
        at, amount = format_minute(move.moved_at), format_plain(move.amount)
        say(text("voucher.told.move", at=at, step=step, amount=amount, of=about))


def _print_settlement(found: Settlement, spelled: dict[str, str]) -> None:
    say(text("voucher.told.settled", job=found.job, **spelled))
    for said in (*found.findings, *([found.reason] if found.reason is not None else [])):
        say(said)


def _spelled(here: View, rules: str, amounts: dict[str, int]) -> dict[str, str]:
    """Return amounts in the currency of rules."""
    from pilotbase_estate.documents.voucher import VoucherRules

    found = here.load(rules, VoucherRules)
    return {name: found.spell(amount) for name, amount in amounts.items()}
