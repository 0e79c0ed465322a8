"""``pilotbase service``: put certified applications into service, move them, their keys, budgets and usage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun, build_request
from pilotbase.cli.framework.terminal import AsJson, answer, each, language, say
from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import table_lines
from pilotbase.documents.moments import format_minute
from pilotbase.documents.service import MOST_OUTCOMES, ServiceTerms
from pilotbase.documents.subjects import commission_subject
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import ServingState
from pilotbase.operations import services

if TYPE_CHECKING:
    from pilotbase.documents.api.services import (
        BudgetView,
        DiligenceRecord,
        ExposureTold,
        KeyView,
        ListedService,
        ReleaseView,
        ServiceView,
        UsageRow,
        ValueTold,
    )
    from pilotbase.documents.service import HoldBack

app = Noun()
key_app = Noun("Keys to a service.")
app.add_typer(key_app, name="key")

_PROTOCOL = re.compile(r"([a-z]+)\+(?=https?://)")
"""What stands before the address of an endpoint that speaks something else than OpenAI's protocol."""


@app.anywhere("show")
def show(name: str, as_json: AsJson = False) -> None:
    """Show a service: the version that answers, its state, and its history."""
    answer(call(services.SHOW, service=name), as_json, _print_whole, nulls=False)


@app.anywhere("hold-back")
def hold_back(
    name: str, cap: float, share: float = 0.05, currency: str = "CNY", units: int = 10_000, as_json: AsJson = False
) -> None:
    """Let a drawn share of the units go today's way, so that what the service saves is measured."""
    terms = {"cap": cap, "share": share, "currency": currency, "units": units}
    answer(call(services.HOLD_BACK, service=name, sent=terms), as_json, _print_hold_back)


@app.anywhere("outcomes")
def outcomes(name: str, file: Path, as_json: AsJson = False) -> None:
    """Report what units have cost, from a CSV with the columns unit and cost."""
    found = tuple(_outcomes(file))
    told = None
    for start in range(0, len(found), MOST_OUTCOMES):
        told = call(services.OUTCOMES, service=name, outcomes=found[start : start + MOST_OUTCOMES])
    if told is not None:
        answer(told, as_json, _print_value)


def _outcomes(file: Path) -> Iterator[dict[str, object]]:
    for line, row in table_lines(file, ",", ("unit", "cost")):
        try:
            yield {"unit": row["unit"], "cost": float(row["cost"])}
        except ValueError:
            raise InputError.at(file.name, "cost", text("input.no_number", found=row["cost"]), line) from None


def _print_hold_back(one: HoldBack) -> None:
    said = {"share": percent(one.terms.share, ".1f"), "cap": f"{one.terms.cap:g}", "currency": one.terms.currency}
    say(text("service.hold_back_line", service=one.service, **said, commitment=one.commitment))
    if one.seed is not None:
        say(text("service.hold_back_seed", seed=one.seed))


def _print_value(told: ValueTold) -> None:
    if told.why is not None:
        say(told.why)
    if told.hold_back is not None:
        say(text("service.value_units", held=told.held, answered=told.answered, capped=told.capped))
    if told.hold_back is not None and told.benefit is not None:
        saved = {name: f"{getattr(told.benefit, name):.4g}" for name in ("mean", "low", "high", "cost_of_measuring")}
        say(text("service.value_line", currency=told.hold_back.terms.currency, **saved))
    for currency, cost in told.models_cost.items():
        say(text("service.value_models", cost=f"{cost:g}", currency=currency))
    if told.trial_price is not None:
        say(text("service.value_trial", price=f"{told.trial_price:g}", currency=told.trial_currency))


def _print_whole(seen: ServiceView) -> None:
    name = seen.service.name
    _print(seen)
    if len(seen.service.routes) > 1:
        versions = [seen.service.answers(place) for place in range(len(seen.service.routes))]
        say(text("service.versions", versions=versions))
    for one in call(services.HISTORY, service=name):
        state = Text(code=f"serving.{one.state}")
        say(text("service.stood", at=format_minute(one.at), state=state, reason=one.reason))


@app.anywhere("terms")
def terms(
    name: str,
    changes: Annotated[list[str] | None, typer.Argument(metavar="[TERM=VALUE]...")] = None,
    as_json: AsJson = False,
) -> None:
    """Set the terms of a service, valid from its next call; without TERM=VALUE, show them."""
    wanted = dict(map(_term, changes or ()))
    found = call(services.SHOW, service=name).service.terms
    if wanted:
        changed = build_request(ServiceTerms, **{**found.model_dump(), **wanted})
        found = call(services.SET_TERMS, service=name, sent=changed).service.terms
    answer(found, as_json, _print_terms)


def _print_terms(found: ServiceTerms) -> None:
    for term, value in found.told().items():
        say(text("service.term_line", term=term, what=services.SET_TERMS.called(term, language()), value=value))


@app.anywhere("override")
def override(
    name: str,
    owner: str,
    endpoint: Annotated[list[str], typer.Option()],
    model: Annotated[str, typer.Option()],
    reason: Annotated[str, typer.Option(prompt="Why")],
    days: Annotated[int, typer.Option(min=1, max=90)] = 14,
) -> None:
    """Admit an endpoint without a certificate for a limited time, on the operator's signature."""
    first, *replicas = endpoint
    spoken = _PROTOCOL.match(first)
    protocol, url = (spoken[1], first[spoken.end() :]) if spoken else ("openai", first)
    said = {"service": name, "organisation": owner, "protocol": protocol, "url": url, "model": model}
    _print(call(services.OVERRIDE, **said, replicas=replicas, reason=reason, days=days))


@app.anywhere("budget")
def budget(  # noqa: PLR0913 - each is an option
    name: str,
    budget_name: Annotated[str, typer.Argument(metavar="[BUDGET]")] = "",
    calls: Annotated[int | None, typer.Option(min=0)] = None,
    tokens: Annotated[int | None, typer.Option(min=0)] = None,
    cost: str | None = None,
    period: str = "month",
    as_json: AsJson = False,
) -> None:
    """Set a budget for keys with --calls, --tokens or --cost; without them, show the budgets."""
    from pilotbase.workspace.failures import NotFoundError

    if budget_name and (calls, tokens, cost) != (None, None, None):
        bounds = {"period": period, "calls": calls, "tokens": tokens, "cost": cost}
        found = [call(services.SET_BUDGET, service=name, budget=budget_name, **bounds)]
    else:
        found = [one for one in call(services.BUDGETS, service=name) if budget_name in ("", one.name)]
    if budget_name and not found:
        raise NotFoundError("service.no_budget", service=name, budget=budget_name)
    answer(found, as_json, each(_print_budget), nulls=False)


def _term(spelled: str) -> tuple[str, str]:
    """Return name and value of ``workers=2``."""
    term, separator, value = spelled.partition("=")
    if not separator:
        raise InputError("service.no_term", found=spelled)
    return term, value


def _number(certificate: str) -> str:
    """Return the number of a certificate that was given as such or as a file."""
    from pilotbase.certificate.bounded_json import CERTIFICATE, parse_model, read_evidence
    from pilotbase.certificate.envelope import Envelope, read_statement
    from pilotbase.documents.hashes import digest_of, hex_of, is_digest

    number = digest_of(hex_of(certificate))
    if is_digest(number):
        return number
    envelope = parse_model(Envelope, read_evidence(Path(certificate)), CERTIFICATE)
    return read_statement(envelope.content()).serial


def _print_listed(one: ListedService) -> None:
    state, title = Text(code=f"serving.{one.state}"), localized(one.title, language())
    say(text("service.line", name=one.name, title=title, state=state, answers=one.application))


def _print_usage(one: UsageRow) -> None:
    end = Text(code=f"call.{one.end}")
    used = {"day": one.day.date(), "end": end, "calls": one.calls, "cases": one.cases, "tokens": one.tokens}
    paid = {"cost": f"{one.cost:f}", "currency": one.currency} if one.currency else {}
    say(text("service.used_paid" if paid else "service.used", **used, **paid))


def _file(said: str) -> object:
    """Return what a YAML file holds."""
    from pilotbase.documents.yaml_reader import read_yaml

    return read_yaml(Path(said)).value


def _print_secret(made: KeyView) -> None:
    say(text("service.secret_once"), err=True)
    typer.echo(made.secret)


def _print(seen: ServiceView) -> None:
    service, standing = seen.service, seen.standing
    state, title = Text(code=f"serving.{standing.state}"), localized(service.title, language())
    answers = service.answers(standing.route)
    say(text("service.line", name=service.name, title=title, state=state, answers=answers))
    for one in seen.held:
        say(text(f"service.held_{one.why}", version=service.answers(one.route)))
    if standing.state in (ServingState.SERVING, ServingState.FALLEN_BACK) and seen.answering != standing.route:
        instead = None if seen.answering is None else service.answers(seen.answering)
        say(text("service.answered_by", version=instead) if instead else text("service.answered_by_none"))


def _print_budget(one: BudgetView) -> None:
    params = {"name": one.name, "period": one.current}
    for word, bound, used, held in (
        (text("service.unit.calls"), one.calls, one.used_calls, one.held_calls),
        (text("service.unit.tokens"), one.tokens, one.used_tokens, one.held_tokens),
        (text("service.unit.cost", currency=one.currency or ""), one.cost, one.used_cost, one.held_cost),
    ):
        if bound is not None:
            say(text("service.budget_line", **params, unit=word, used=used, held=held, bound=bound))


def _print_exposure(told: ExposureTold) -> None:
    if told.exposure is None or told.cases is None:
        say(text("service.exposure_none"))
        return
    bound = Text(code=f"service.exposure_bound.{told.bound}")
    numbers = {"used": told.used, "held": told.held, "cases": told.cases}
    say(text("service.exposure_line", exposed=told.exposed, bound=bound, **numbers))


def _print_diligence(found: DiligenceRecord) -> None:
    for one in found.lines:
        rule, state = Text(code=f"service.diligence.{one.rule}"), Text(code=f"service.rule.{one.state}")
        say(text("service.diligence_line", rule=rule, state=state, fact=one.fact))


def _print_key(one: KeyView) -> None:
    revoked = text("service.key_is_revoked") if one.revoked_at else ""
    line = {"key": one.identity, "prefix": one.prefix, "title": one.title, "expires": one.expires_at.date()}
    rate = text("service.key_rate", calls=one.calls_a_minute) if one.calls_a_minute else "–"
    line |= {"scopes": " ".join(one.scopes), "budget": one.budget or "–", "rate": rate}
    say(text("service.key_line", **line, revoked=revoked))


def _print_release(one: ReleaseView) -> None:
    since, state = format_minute(one.since), Text(code=f"release.{one.state}")
    evidence = {"harm": f"{one.harm:.1f}", "gain": f"{one.gain:.1f}", "needed": f"{one.needed:.0f}"}
    calls = {name: getattr(one, name) for name in ("new_failed", "new_calls", "old_failed", "old_calls")}
    say(text("service.release_line", since=since, version=one.version, state=state, **calls, **evidence))
    if one.shadow_calls:
        beside = {"calls": one.shadow_calls, "alike": one.shadow_alike, "failed": one.shadow_failed}
        say(text("service.release_asked_both", **beside))


_CERTIFICATE = {
    "certificate": OptionSpelling(read=_number),
    "model": OptionSpelling(kind=str, read=_file),
    "commission": OptionSpelling(
        flag="--trial", read=lambda said: commission_subject(said.removeprefix("commission:"))
    ),
}
add(
    app,
    Command(
        "create",
        services.CREATE,
        show=_print,
        spelled={"name": OptionSpelling(positional=True), **_CERTIFICATE},
    ),
    Command("release", services.RELEASE, show=_print, spelled=_CERTIFICATE),
    Command("releases", services.RELEASES, show=each(_print_release, text("service.no_releases"))),
    *(
        Command(
            one,
            services.END_RELEASE,
            said=one,
            show=_print,
            given={"end": one},
            spelled={"reason": OptionSpelling(ask=True)},
        )
        for one in services.ReleaseEnd
    ),
    Command("list", services.LIST, show=each(_print_listed, text("service.none"))),
    *(
        Command(
            one, services.MOVE, said=one, show=_print, given={"move": one}, spelled={"reason": OptionSpelling(ask=True)}
        )
        for one in services.ServiceMove
    ),
    Command(
        "expose",
        services.GRANT_EXPOSURE,
        show=_print_exposure,
        spelled={"reason": OptionSpelling(ask=True)},
    ),
    Command("exposure", services.EXPOSURE, show=_print_exposure),
    Command("diligence", services.DILIGENCE, show=_print_diligence),
    Command("hold-back-end", services.END_HOLD_BACK, show=_print_hold_back),
    Command("value", services.VALUE, show=_print_value),
    Command("usage", services.USAGE, show=each(_print_usage, text("service.unused"))),
)
add(
    key_app,
    Command(
        "create",
        services.CREATE_KEY,
        show=_print_secret,
        spelled={
            "title": OptionSpelling(ask=True),
            "scopes": OptionSpelling(flag="--scope", kind=list[str], default=["infer"]),
        },
    ),
    Command("list", services.KEYS, show=each(_print_key, text("service.no_keys"))),
    Command("revoke", services.REVOKE_KEY),
)
