"""``pilotbase site``: trials on a machine of the data's owner. ``offer`` and ``run`` there; the others at the base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.framework.driving import Noun, open_base
from pilotbase.cli.framework.terminal import EXIT_CODES, AsJson, answer, progress_shown, say, say_all
from pilotbase.documents.texts import text

app = Noun()


@app.here("offer")
def offer(
    scenarios: list[Path], out: Path = Path("site-enrolment.json"), figures: str = "rounded", smallest_cell: int = 10
) -> None:
    """At the site: seal scenarios, and write the site's identity and offer, without any row of data."""
    from pilotbase.documents.files import write_whole
    from pilotbase.documents.hashes import digest_bytes
    from pilotbase.worker.sites.enrolling import enrolment_lines, look_at_enrolment
    from pilotbase.worker.sites.unpacking import offer_scenarios, release_of

    with progress_shown() as on_progress:
        signed = offer_scenarios(open_base(), scenarios, release_of(figures, smallest_cell), on_progress)
    write_whole(out, signed)
    say_all(enrolment_lines(look_at_enrolment(out)))
    say(text("site.offered", file=out, digest=digest_bytes(signed)))


@app.here("enrol")
def enrol(file: Path, key: str = "") -> None:
    """At the base: enrol a site or update its offer, after comparing its key with the one its owner names."""
    from pilotbase.worker.sites.enrolling import enrol_site, enrolment_lines, look_at_enrolment

    base = open_base()
    say_all(enrolment_lines(look_at_enrolment(file)))
    if not key:
        say(text("site.not_enrolled_yet"))
        return
    site = enrol_site(base, base.lab.view, file, key)
    say(text("site.enrolled", site=site.site, owner=site.owner))


@app.here("list")
def list_sites(as_json: AsJson = False) -> None:
    """At the base: list the sites, their owners, and what they have sealed."""
    from pilotbase.worker.sites.enrolling import known_sites, site_lines

    sites = known_sites(open_base().lab.view)
    answer(
        [site.standing for site in sites],
        as_json,
        lambda _: say_all(line for site in sites for line in site_lines(site)),
    )


@app.here("run")
def run(  # noqa: PLR0913 - a command's options
    pack: Path,
    scenario: Path,
    trust: Annotated[Path, typer.Option()],
    watched_by: Annotated[str, typer.Option(prompt=True)],
    organisation: Annotated[str, typer.Option(prompt=True)],
    out: Path | None = None,
    as_json: AsJson = False,
) -> None:
    """At the site, offline: check a pack, rehearse, freeze, run, sign what may leave. Exit codes as for a trial."""
    from pilotbase.worker.sites.running import SiteOrder, run_pack, witness_of
    from pilotbase.worker.trials.summary import report_lines

    order = SiteOrder(pack, scenario, trust, witness_of(watched_by, organisation), out)
    with progress_shown(as_json) as on_progress:
        ran = run_pack(open_base(), order, on_progress)
    answer(ran.released.paper.report, as_json, lambda _: say_all(report_lines(ran.report, ran.folder)))
    say(text("site.ran", file=ran.file, person=ran.released.paper.release.witness.name), err=as_json)
    raise typer.Exit(EXIT_CODES[ran.report.verdict])


@app.here("take-back")
def take_back(file: Path, out: Path | None = None, as_json: AsJson = False) -> None:
    """At the base: examine a site's report, list every problem, store and certify it. Repeating changes nothing."""
    from pilotbase.worker.sites.taking_back import take_back as take_report_back
    from pilotbase.worker.sites.taking_back import taken_lines
    from pilotbase.worker.trials.summary import report_lines

    base = open_base()
    asked_at = base.lab.store.clock()
    taken = take_report_back(base, file, out)
    lines = (*report_lines(taken.report, taken.folder), *taken_lines(base, taken, asked_at))
    answer(taken.issued.certificate, as_json, lambda _: say_all(lines))
    raise typer.Exit(EXIT_CODES[taken.report.verdict])


@app.here("revoke")
def revoke(site: str, reason: Annotated[str, typer.Option(prompt="Why")] = "") -> None:
    """At the base: accept nothing more from a site. Its certificates stay valid until you revoke each of them."""
    from pilotbase.worker.sites.enrolling import revoke_site

    revoked = revoke_site(open_base().lab.view, site, reason)
    say(text("site.revoked_now", site=revoked.site))
