"""The addresses of people: their account, log-in and second factor, invitations and memberships."""

from __future__ import annotations

from allauth.account import views as account  # type: ignore[import-untyped]
from allauth.mfa.base import views as second_factor  # type: ignore[import-untyped]
from allauth.mfa.recovery_codes import views as recovery  # type: ignore[import-untyped]
from allauth.mfa.totp import views as totp  # type: ignore[import-untyped]
from allauth.socialaccount import views as social  # type: ignore[import-untyped]
from allauth.socialaccount.providers.openid_connect import urls as openid_connect  # type: ignore[import-untyped]
from allauth.usersessions import views as sessions  # type: ignore[import-untyped]
from django.urls import include, path, re_path

from pilotbase.hub.people import pages

_ACCOUNT = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", pages.by_invitation_only, name="account_signup"),
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
    path("provider/signup/", pages.by_invitation_only, name="socialaccount_signup"),
    path("provider/", include(openid_connect)),
    path("tokens/", pages.token_list, name="tokens"),
    path("tokens/<int:number>/revoke/", pages.token_revoke, name="token-revoke"),
    path("", pages.account, name="account"),
]
urlpatterns = [
    path("account/", include(_ACCOUNT)),
    path("invitations/<str:secret>/", pages.accept, name="invitation"),
    path("invitations/<int:number>/withdraw/", pages.withdraw, name="invitation-withdraw"),
    path("memberships/<int:number>/remove/", pages.remove, name="membership-remove"),
    path("act-for/", pages.act_for, name="act-for"),
    path("organisations/<str:organisation>/invite/", pages.invite, name="invite"),
]
