"""Accounts as pages: log-in and second factor, tokens, invitations, members, the organisation one acts for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from allauth.account import views as account  # type: ignore[import-untyped]
from allauth.mfa.base import views as second_factor  # type: ignore[import-untyped]
from allauth.mfa.recovery_codes import views as recovery  # type: ignore[import-untyped]
from allauth.mfa.totp import views as totp  # type: ignore[import-untyped]
from allauth.mfa.utils import is_mfa_enabled  # type: ignore[import-untyped]
from allauth.mfa.webauthn.views import login_webauthn  # type: ignore[import-untyped]
from allauth.socialaccount import views as social  # type: ignore[import-untyped]
from allauth.socialaccount.providers.openid_connect import urls as openid_connect  # type: ignore[import-untyped]
from allauth.usersessions import views as sessions  # type: ignore[import-untyped]
from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import include, path, re_path

from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import parse_request
from pilotbase.documents.permissions import DeskAct
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import CHOSEN, HubRequest, language, posted, roles_of
from pilotbase.hub.base import operator_view
from pilotbase.hub.forms.declared import fields_of, refusals_in, tell
from pilotbase.hub.models import Invitation, Membership, Person
from pilotbase.hub.people import invitations, passkeys, tokens
from pilotbase.hub.people.directory import HubAccounts
from pilotbase.hub.people.rights import BASE_WIDE
from pilotbase.hub.presenters.addresses import back_to, record_crumbs
from pilotbase.hub.presenters.navigation import THEME, THEMES
from pilotbase.hub.presenters.records import see, title_of
from pilotbase.hub.problems import LoginNeededError
from pilotbase.hub.routing import EVERYBODY, FORM, PAGES, POST, page
from pilotbase.hub.sentences import asked, t
from pilotbase.operations.people import END_DOMAIN, SET_DOMAIN, NewDomain, OfDomain
from pilotbase.worker.operations.binding import there
from pilotbase.workspace.failures import NotFoundError

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def _role_choices(roles: Iterable[Role] = Role) -> list[tuple[str, str]]:
    """Return ``roles`` with their names in the reader's language."""
    return [(role.value, text(f"role.{role}").render(language())) for role in Role if role in set(roles)]


class InvitationForm(forms.Form):
    """Whom an operator invites, and as what."""

    email = forms.EmailField(**asked("hub.field_email", "hub.help_invited_email"), max_length=254)
    roles = forms.MultipleChoiceField(
        **asked("hub.field_roles", "hub.help_invited_roles"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, organisation: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        held = roles_of(organisation)
        roles = cast(forms.MultipleChoiceField, self.fields["roles"])
        roles.choices = _role_choices(held)
        if len(held) == 1:
            self.initial.setdefault("roles", [role.value for role in held])


class JoinForm(forms.Form):
    """What an invited person tells."""

    name = forms.CharField(
        **asked("hub.field_name", "hub.help_name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        max_length=120,
    )
    password = forms.CharField(
        **asked("hub.field_password", "hub.help_password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        max_length=1000,
    )

    def __init__(self, *arguments: Any, email: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, Person(email=self._email, name=self.cleaned_data.get("name", "")))
        return password


class TokenForm(forms.Form):
    """A new API token."""

    label = forms.CharField(**asked("hub.field_token_label", "hub.help_token_label"), max_length=80)
    scope = forms.ChoiceField(
        **asked("hub.field_scope", "hub.help_token_scope"),
        choices=[("read", t("hub.scope_read")), ("write", t("hub.scope_write"))],
    )
    days = forms.IntegerField(**asked("hub.field_days", "hub.help_token_days"), min_value=1, max_value=365, initial=90)


@page("theme/", "theme", EVERYBODY, POST)
def set_theme(request: HubRequest) -> HttpResponse:
    """Keep whether the reader wants light or dark pages; ``system`` leaves it to theirs."""
    response = redirect(back_to(request, "portal"))
    if (theme := request.POST.get("theme", "")) in THEMES:
        response.set_cookie(THEME, theme, 365 * 86_400, samesite="Lax", secure=request.is_secure(), httponly=True)
    else:
        response.delete_cookie(THEME)
    return response


@page("invitations/<str:secret>/", "invitation", EVERYBODY, ("GET", "POST"))
def accept(request: HubRequest, secret: str) -> HttpResponse:
    """Accept an invitation: as the person who is logged in, after logging in, or with a new account."""
    invitation = invitations.open_invitation(secret)
    person = request.acting.person
    if person is None and Person.objects.filter(email__iexact=invitation.email).exists():
        return redirect_to_login(request.path)
    if person is not None:
        return _accept_as(request, invitation, person)
    form = JoinForm(posted(request), email=invitation.email)
    if request.method == "POST" and form.is_valid():
        name, password = form.cleaned_data["name"], form.cleaned_data["password"]
        joined = invitations.sign_up(operator_view(), invitation, name, password, language())
        login(request, joined, backend=BACKEND)
        return redirect("my-work")
    shown = {"invitation": invitation, "form": form, "title": text("hub.join_title")}
    return render(request, "hub/join.html", shown)


def _accept_as(request: HubRequest, invitation: Invitation, person: Person) -> HttpResponse:
    if person.email.lower() != invitation.email.lower():
        raise InputError("hub.invitation_foreign", email=person.email)
    if request.method == "POST":
        invitations.join(operator_view(), invitation, person)
        request.session[CHOSEN] = invitation.organisation
        return redirect("my-work")
    return render(request, "hub/join.html", {"invitation": invitation, "form": None, "title": text("hub.join_title")})


@page("act-for/", "act-for", EVERYBODY, POST)
def act_for(request: HubRequest) -> HttpResponse:
    """Act for another of one's organisations from now on."""
    chosen = request.POST.get("organisation", "")
    if all(membership.organisation != chosen for membership in request.acting.memberships):
        raise NotFoundError("hub.not_found")
    request.session[CHOSEN] = chosen
    return redirect(back_to(request, "my-work"))


@page("account/", "account", EVERYBODY)
def show_account(request: HubRequest) -> HttpResponse:
    """Show who one is, and the ways to keep the account safe."""
    if request.acting.person is None:
        raise LoginNeededError("hub.login_needed")
    shown = {"title": text("hub.account"), "second_factor": is_mfa_enabled(request.acting.person)}
    return render(request, "hub/account.html", shown)


@page("account/tokens/", "tokens", methods=("GET", "POST"))
def token_list(request: HubRequest) -> HttpResponse:
    """Show one's API tokens; make one, whose secret is shown in this answer only."""
    form, secret = TokenForm(posted(request)), None
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        _, secret = tokens.create_token(request.acting, chosen["label"], chosen["scope"], chosen["days"])
        form = TokenForm()
    crumbs = [{"url": "/account/", "label": text("hub.account")}]
    shown = {"tokens": tokens.tokens_of(request.acting), "form": form, "secret": secret, "crumbs": crumbs}
    return render(request, "hub/tokens.html", {**shown, "title": text("hub.tokens_title")})


@page("account/tokens/<int:number>/revoke/", "token-revoke", methods=POST)
def token_revoke(request: HubRequest, number: int) -> HttpResponse:
    """Revoke one of one's tokens."""
    tokens.revoke_token(request.acting, number)
    messages.success(request, text("hub.token_revoked").render(language()))
    return redirect("tokens")


@page("organisations/<str:organisation>/invite/", "invite", DeskAct.STAFF, ("GET", "POST"))
def invite(request: HubRequest, organisation: str) -> HttpResponse:
    """Invite an address into an organisation."""
    see(request.acting.view, organisation_subject(organisation))
    _require_inviter(request, organisation)
    form = InvitationForm(organisation, posted(request))
    if request.method == "POST" and form.is_valid():
        acting, chosen = request.acting, form.cleaned_data
        roles = [Role(role) for role in chosen["roles"]]
        sent = invitations.invite(acting.view, acting.person, chosen["email"], organisation, roles, language())
        said = text("people.proposed", email=chosen["email"])
        if isinstance(sent, invitations.SentInvitation):
            said = text("hub.invited", email=sent.invitation.email, link=sent.link)
        messages.success(request, said.render(language()))
        return redirect("record", section="organisations", name=organisation)
    title = text("hub.invite_title", organisation=title_of(organisation))
    crumbs = record_crumbs(organisation_subject(organisation), title_of(organisation))
    return render(request, "hub/invite.html", {"form": form, "crumbs": crumbs, "title": title})


@page("invitations/<int:number>/withdraw/", "invitation-withdraw", DeskAct.STAFF, POST)
def withdraw(request: HubRequest, number: int) -> HttpResponse:
    """Withdraw an invitation."""
    invitation = there(Invitation.objects.filter(pk=number).first())
    _require_inviter(request, invitation.organisation)
    invitations.withdraw(request.acting.view, invitation)
    messages.success(request, text("hub.invitation_withdrawn").render(language()))
    return redirect("record", section="organisations", name=invitation.organisation)


def _require_inviter(request: HubRequest, organisation: str) -> None:
    if not invitations.may_invite(request.acting.view, organisation):
        raise NotFoundError("hub.not_found")


class DomainForm(forms.Form):
    """Whose email addresses join an organisation, and as what."""

    domain = fields_of(SET_DOMAIN, "domain")["domain"]
    roles = forms.MultipleChoiceField(
        **asked("hub.field_roles", "people.domain_roles_help"), widget=forms.CheckboxSelectMultiple
    )


@page("organisations/<str:name>/domains/", "domains", DeskAct.MANAGE, FORM)
def add_domain(request: HubRequest, name: str) -> HttpResponse:
    """Let the people of an email domain join an organisation by the identity provider."""
    see(request.acting.view, organisation_subject(name))
    form = DomainForm(posted(request))
    cast(forms.MultipleChoiceField, form.fields["roles"]).choices = _role_choices(roles_of(name) - BASE_WIDE)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            said = {**form.cleaned_data, "domain": form.cleaned_data["domain"].lower(), "name": name}
            HubAccounts(request.acting).set_domain(parse_request(NewDomain, said))
        if form.is_valid():
            tell(request, SET_DOMAIN)
            return redirect("record", section="organisations", name=name)
    title = text("people.domains")
    crumbs = record_crumbs(organisation_subject(name), title_of(name))
    return render(request, "hub/domain.html", {"form": form, "crumbs": crumbs, "title": title})


@page("organisations/<str:name>/domains/<str:domain>/end/", "domain-end", DeskAct.MANAGE, POST)
def end_domain(request: HubRequest, name: str, domain: str) -> HttpResponse:
    """Let nobody more join by an email domain."""
    HubAccounts(request.acting).end_domain(parse_request(OfDomain, {"name": name, "domain": domain}))
    tell(request, END_DOMAIN)
    return redirect("record", section="organisations", name=name)


@page("memberships/<int:number>/remove/", "membership-remove", DeskAct.STAFF, POST)
def remove(request: HubRequest, number: int) -> HttpResponse:
    """End a membership."""
    membership = there(Membership.objects.select_related("person").filter(pk=number).first())
    organisation = membership.organisation
    _require_inviter(request, organisation)
    waits = invitations.set_roles(request.acting.view, membership, [])
    said = text("people.proposed", email=membership.person.email) if waits else text("hub.membership_ended")
    messages.success(request, said.render(language()))
    return redirect("record", section="organisations", name=organisation)


def by_invitation_only(request: HttpRequest) -> HttpResponse:
    """Say how one gets an account: where allauth has its sign-up page."""
    return render(request, "hub/by_invitation_only.html", {"title": text("hub.by_invitation_title")})


_ACCOUNT = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", by_invitation_only, name="account_signup"),
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
    path("second-factor/passkeys/new/", passkeys.NewPasskey.as_view(), name="mfa_add_webauthn"),
    path("second-factor/passkeys/login/", login_webauthn, name="mfa_login_webauthn"),
    path("second-factor/passkeys/again/", passkeys.Reauthenticate.as_view(), name="mfa_reauthenticate_webauthn"),
    path(
        "second-factor/passkeys/<int:pk>/name/",
        passkeys.Rename.as_view(),
        name="mfa_edit_webauthn",
    ),
    path(
        "second-factor/passkeys/<int:pk>/remove/",
        passkeys.Remove.as_view(),
        name="mfa_remove_webauthn",
    ),
    path("sessions/", sessions.list_usersessions, name="usersessions_list"),
    path("provider/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("provider/error/", social.login_error, name="socialaccount_login_error"),
    path("provider/signup/", by_invitation_only, name="socialaccount_signup"),
    path("provider/", include(openid_connect)),
]
PAGES.append(path("account/", include(_ACCOUNT)))
