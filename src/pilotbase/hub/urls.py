"""Every address of the hub."""

from __future__ import annotations

from allauth.account import views as account  # type: ignore[import-untyped]
from allauth.mfa.base import views as second_factor  # type: ignore[import-untyped]
from allauth.mfa.recovery_codes import views as recovery  # type: ignore[import-untyped]
from allauth.mfa.totp import views as totp  # type: ignore[import-untyped]
from allauth.socialaccount import views as social  # type: ignore[import-untyped]
from allauth.socialaccount.providers.openid_connect import urls as openid_connect  # type: ignore[import-untyped]
from allauth.usersessions import views as sessions  # type: ignore[import-untyped]
from django.urls import URLPattern, include, path, re_path, register_converter
from django.views.i18n import set_language

from pilotbase.documents.plugins import loaded
from pilotbase.hub import converters
from pilotbase.hub.api.routes import api, documentation
from pilotbase.hub.pages import account as own_account
from pilotbase.hub.pages import (
    acts,
    board,
    bundle,
    certificates,
    comparison,
    dataset_files,
    datasets,
    descriptions,
    feeds,
    imports,
    incidents,
    kept_files,
    labelling,
    ledger,
    lists,
    matching,
    next_steps,
    notices,
    overview,
    portal,
    published,
    queue,
    readers,
    records,
    rehearsals,
    services,
    sites,
    statistics,
    statistics_terms,
    terms,
    threads,
    trials,
    uploads,
    watch,
    work,
)
from pilotbase.hub.pages.declared import post_of
from pilotbase.hub.people import pages as people
from pilotbase.hub.process import health
from pilotbase.operations.services import REVOKE_KEY
from pilotbase.operations.watch import ARM, DISARM, END_SILENCE
from pilotbase.operations.webhooks import END, REPLAY


def _specific_first(pattern: URLPattern) -> list[int]:
    """Sort an address with a fixed part before one with a name there, and a longer one before its beginning."""
    return [*(int("<" in part) for part in str(pattern.pattern).split("/")), 2]


handler400 = "pilotbase.hub.problems.bad_request"
handler403 = "pilotbase.hub.problems.refused"
handler404 = "pilotbase.hub.problems.not_found"
handler500 = "pilotbase.hub.problems.failed"

register_converter(converters.Name, "name")
register_converter(converters.Digits, "digits")
register_converter(converters.Drawn, "drawn")
register_converter(converters.SectionConverter, "section")
register_converter(converters.PublicSection, "public")
register_converter(converters.MatchedSection, "matched")

ACCOUNT = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", people.by_invitation_only, name="account_signup"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    path("password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("second-factor/", second_factor.index, name="mfa_index"),
    path("second-factor/enter/", second_factor.authenticate, name="mfa_authenticate"),
    path("second-factor/again/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("second-factor/app/start/", totp.activate_totp, name="mfa_activate_totp"),
    path("second-factor/app/stop/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("second-factor/codes/", recovery.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("second-factor/codes/new/", recovery.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("second-factor/codes/download/", recovery.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("sessions/", sessions.list_usersessions, name="usersessions_list"),
    path("provider/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("provider/error/", social.login_error, name="socialaccount_login_error"),
    path("provider/signup/", people.by_invitation_only, name="socialaccount_signup"),
    path("provider/", include(openid_connect)),
    path("tokens/", people.token_list, name="tokens"),
    path("tokens/<int:number>/revoke/", people.token_revoke, name="token-revoke"),
    path("", own_account.show, name="account"),
]

PEOPLE = [
    path("invitations/<str:secret>/", people.accept, name="invitation"),
    path("invitations/<int:number>/withdraw/", people.withdraw, name="invitation-withdraw"),
    path("memberships/<int:number>/remove/", people.remove, name="membership-remove"),
    path("act-for/", people.act_for, name="act-for"),
]

RECORDS = [
    path("scenarios/new/", uploads.scenario, name="scenario-new"),
    path("applications/new/", uploads.application, name="application-new"),
    path("trials/new/", acts.propose, name="commission-new"),
    path("organisations/new/", acts.register_organisation, name="organisation-new"),
    path("datasets/new/", terms.register_dataset, name="dataset-new"),
    path("agreements/new/", terms.agree, name="agreement-new"),
    path("scenarios/<name:name>/starter-kit.zip", rehearsals.kit, name="starter-kit"),
    path("applications/<name:name>/rehearsal.html", rehearsals.report, name="rehearsal"),
    path("applications/<name:name>/rehearsal.log", rehearsals.log, name="rehearsal-log"),
    path("scenarios/<name:name>/acts/scenario.edit/", uploads.edit, name="scenario-edit"),
    path("scenarios/<name:name>/files/", kept_files.show, name="kept-files"),
    path("<section:section>/<name:name>/acts/<str:act>/", acts.take, name="act"),
    path("organisations/<str:organisation>/invite/", people.invite, name="invite"),
    path("datasets/", datasets.show, name="datasets"),
    path("datasets/contributions/", datasets.show_contributions, name="contributions"),
    path("datasets/<name:name>/preview/", datasets.preview, name="dataset-preview"),
    path("datasets/<name:name>/files/", dataset_files.show, name="dataset-files"),
    path("datasets/<name:name>/measuring/", dataset_files.quality, name="dataset-quality"),
    path("datasets/<name:name>/measuring/quality.html", dataset_files.measured, name="dataset-quality-measured"),
    path("datasets/<name:name>/quality.html", dataset_files.published, name="dataset-quality-report"),
    path("descriptions/", descriptions.start, name="describe"),
    path("descriptions/<drawn:identity>/", descriptions.show, name="description"),
    path("descriptions/<drawn:identity>/save/", descriptions.save, name="description-save"),
    path("descriptions/<drawn:identity>/forget/", descriptions.forget, name="description-forget"),
    path("datasets/<name:name>/labelling/", labelling.start, name="labelling-open"),
    path("datasets/<name:name>/statistics/", statistics.ask, name="statistics"),
    path("datasets/<name:name>/statistics/terms/", statistics_terms.edit, name="statistics-terms"),
    path("datasets/<name:name>/statistics/<digits:identity>/", statistics.show, name="statistics-answer"),
    path("<section:section>/<name:name>/readers/", readers.show, name="readers"),
    path("<public:section>/", lists.public_list, name="records"),
    path("<section:section>/", lists.member_list, name="records"),
    path("trials/<name:name>/progress/", trials.progress, name="progress"),
    path("trials/<name:name>/report/", trials.report, name="report"),
    path("trials/<name:name>/bundle/", bundle.take, name="bundle"),
    path("trials/<name:name>/bundle/<digits:digest>.zip", bundle.download, name="bundle-file"),
    path("<matched:section>/<name:name>/matches/", matching.of_record, name="record-matches"),
    path("scenarios/<name:name>/board/", board.show, name="board"),
    path("scenarios/<name:name>/comparison/", comparison.show, name="comparison"),
    path("<section:section>/<name:name>/versions/<digits:digest>/", records.version, name="record-version"),
    path("<section:section>/<name:name>/", records.show, name="record"),
    path("<section:section>/<name:name>/threads/", threads.about, name="threads-about"),
    path("<section:section>/<name:name>/threads/new/", threads.ask, name="thread-new"),
]

EXCHANGE = [
    path("", threads.show_all, name="exchange"),
    path("<drawn:identity>/", threads.show, name="thread"),
    path("<drawn:identity>/mark/", threads.mark, name="thread-mark"),
    path("<drawn:identity>/<int:number>/correct/", threads.correct, name="thread-correct"),
    path("<drawn:identity>/<int:number>/remove/", threads.remove, name="thread-remove"),
    path("<drawn:identity>/<int:number>/<digits:digest>/", threads.file, name="thread-file"),
]

NOTICES = [
    path("", notices.show, name="notices"),
    path("read/", notices.read, name="notices-read"),
    path("mail/", notices.mail, name="notice-mail"),
    path("webhooks/", notices.webhooks, name="webhooks"),
    path("webhooks/<drawn:identity>/", notices.webhook, name="webhook"),
    path("webhooks/<drawn:identity>/end/", post_of(END, "webhooks", back=(), webhook="identity"), name="webhook-end"),
    path(
        "webhooks/<drawn:identity>/again/",
        post_of(REPLAY, "webhook", back=("identity",), webhook="identity"),
        name="webhook-again",
    ),
    path("<drawn:identity>/", notices.follow, name="notice"),
]

CERTIFICATES = [
    path("", certificates.check, name="certificate-check"),
    path("<digits:serial>/", certificates.show, name="certificate"),
    path("<digits:serial>/certificate.json", certificates.download, name="certificate-download"),
    path("<digits:serial>/qr.svg", certificates.qr, name="certificate-qr"),
    path("trust-roots.json", published.trust_roots, name="trust-roots"),
    path("revocations.json", published.revocations, name="revocations"),
    path("log-key.txt", published.log_key, name="log-key"),
]

PORTAL = [
    path("", portal.show, name="portal"),
    path("search/", portal.search, name="search"),
    path("certified/", portal.certified, name="certified"),
    path("figures/", portal.figures, name="figures"),
    path("standards/", portal.show_standards, name="standards"),
    path("standards/vocabularies.json", portal.vocabularies, name="vocabularies"),
    path("standards/<str:kind>.json", portal.schema, name="schema"),
    path("next/", next_steps.show_all, name="next"),
    path("next/<str:who>/", next_steps.show, name="next-step"),
    path("feeds/<str:language>/<str:name>.atom", feeds.feed, name="feed"),
]

WARNINGS = [
    path("", watch.warnings, name="warnings"),
    path("<digits:digest>/care/", watch.acknowledge, name="warning-care"),
]

WATCH = [
    path("<slug:name>/watch/", watch.show, name="watch"),
    path("<slug:name>/watch/replay/", watch.replay, name="watch-replay"),
    path("<slug:name>/watch/arm/", post_of(ARM, "watch", service="name"), name="watch-arm"),
    path("<slug:name>/watch/disarm/", post_of(DISARM, "watch", service="name"), name="watch-disarm"),
    path("<slug:name>/watch/silence/", watch.create_silence, name="watch-silence"),
    path("<slug:name>/watch/speak/", post_of(END_SILENCE, "watch", service="name"), name="watch-speak"),
]

SERVICES = [
    path("", services.show_all, name="services"),
    path("<slug:name>/", services.show, name="service"),
    path("<slug:name>/move/", services.move, name="service-move"),
    path("<slug:name>/terms/", services.set_terms, name="service-terms"),
    path("<slug:name>/keys/", services.make_key, name="service-keys"),
    path(
        "<slug:name>/keys/<drawn:key>/revoke/",
        post_of(REVOKE_KEY, "service", service="name", key="key"),
        name="service-key-revoke",
    ),
    path("<slug:name>/budgets/", services.set_budget, name="service-budget"),
]

OVERVIEW = [
    path("", overview.show, name="overview"),
    path("screen/", overview.screen, name="overview-screen"),
    path("late/", overview.late, name="overview-late"),
    path("records/<str:figure>/", overview.records, name="overview-records"),
]

LEDGER = [
    path("", ledger.show, name="ledger"),
    path("map/", ledger.show_map, name="ledger-map"),
    path("ranking/", ledger.ranking, name="ledger-ranking"),
    path("ranking/<int:potential>-<int:maturity>-<int:driving_effect>/", ledger.rung, name="ledger-rung"),
    path("plan/", ledger.plan, name="ledger-plan"),
    path("records/<str:figure>/", ledger.records, name="ledger-records"),
    path("steps/<str:step>/<str:progress>/", ledger.step, name="ledger-step"),
    path("<str:name>.csv", ledger.download, name="ledger-csv"),
]

DESK = [
    path("desk/", incidents.desk, name="duty-desk"),
    path("incidents/", incidents.show_all, name="incidents"),
    path("incidents/<int:number>/", incidents.show, name="incident"),
    path("incidents/<int:number>/<str:act>/", incidents.take, name="incident-act"),
    path("services/<slug:name>/runbook/", incidents.show_runbook, name="runbook"),
]

SITES = [
    path("", sites.show_all, name="sites"),
    path("packs/<digits:identity>/agree/", sites.agree, name="site-pack-agree"),
    path("<slug:site>/", sites.show, name="site"),
]

LABELLING = [
    path("", labelling.show_all, name="labelling"),
    path("<digits:identity>/", labelling.show, name="labelling-round"),
    path("<digits:identity>/<str:file>", labelling.download, name="labelling-file"),
]

IMPORTS = [
    path("", imports.show, name="imports"),
    path("<str:kind>/template.csv", imports.template, name="import-template"),
    path("<str:kind>/", imports.start, name="import-start"),
    path("<str:kind>/<drawn:identity>/", imports.preview, name="import-preview"),
    path("<str:kind>/<drawn:identity>/problems.csv", imports.problems, name="import-problems"),
    path("<str:kind>/<drawn:identity>/confirm/", imports.confirm, name="import-confirm"),
    path("<str:kind>/<drawn:identity>/cancel/", imports.cancel, name="import-cancel"),
]

urlpatterns = [
    *PORTAL,
    path("import/", include(IMPORTS)),
    path("overview/", include(OVERVIEW)),
    path("ledger/", include(LEDGER)),
    *DESK,
    path("work/", work.show, name="my-work"),
    path("certificates/", include(CERTIFICATES)),
    path("certificates/<digits:serial>/service/", services.put, name="service-put"),
    path("warnings/", include(WARNINGS)),
    path("services/", include(WATCH)),
    path("services/", include(SERVICES)),
    path("labelling/", include(LABELLING)),
    path("sites/", include(SITES)),
    path("queue/", queue.show, name="queue"),
    path("matching/", matching.show, name="matching"),
    path("exchange/", include(EXCHANGE)),
    path("notices/", include(NOTICES)),
    path("account/", include(ACCOUNT)),
    *PEOPLE,
    path("language/", set_language, name="set_language"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("api/docs/", documentation, name="api-docs"),
    path("api/", api.urls),
    path("metrics", health.metrics, name="metrics"),
    *sorted(
        (pattern for module in loaded("hub.pages") for pattern in getattr(module, "urlpatterns", ())),
        key=_specific_first,
    ),
    *RECORDS,
]
