"""What Django reads: made of `HubConfiguration`, safe by default, nothing unsafe without an explicit setting."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pilotbase.charts import drawing
from pilotbase.documents.api.uploads import MAXIMUM_PIECE
from pilotbase.documents.plugins import packages
from pilotbase.hub.configuration import HubConfiguration, django_database, logging_settings
from pilotbase.workspace.home import create_database_file, open_home

CONFIGURATION = HubConfiguration.from_environment()
HOME = open_home(CONFIGURATION.home)

SECRET_KEY = HOME.keys.create("hub.key", lambda: secrets.token_urlsafe(64).encode()).decode()
DEBUG = False
ALLOWED_HOSTS = [CONFIGURATION.host, *CONFIGURATION.hosts, *(["127.0.0.1", "localhost"] if CONFIGURATION.local else [])]
ROOT_URLCONF = "pilotbase.hub.urls"
ASGI_APPLICATION = "pilotbase.hub.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django_htmx",
    *packages("hub"),
]
MIDDLEWARE = [
    "pilotbase.hub.serving.middleware.stream",
    "pilotbase.hub.serving.middleware.observe",
    "pilotbase.hub.serving.middleware.Compress",
    "pilotbase.hub.serving.middleware.harden",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pilotbase.hub.serving.middleware.take_turns",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "pilotbase.hub.acting.identify",
    "pilotbase.hub.problems.explain",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pilotbase.hub.presenters.navigation.surroundings",
            ],
            "builtins": ["pilotbase.hub.templatetags.texts", "pilotbase.hub.templatetags.ui"],
        },
    }
]

DATABASES = {"default": django_database(CONFIGURATION, HOME.settings.store_url)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    create_database_file(Path(DATABASES["default"]["NAME"]))

# People.
AUTH_USER_MODEL = "hub.Person"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    *(["pilotbase.hub.people.joining.DirectoryBackend"] if CONFIGURATION.ldap_url else []),
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "pilotbase.hub.people.adapters.LongEnough", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "pilotbase.hub.people.adapters.Varied"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "my-work"
ACCOUNT_ADAPTER = "pilotbase.hub.people.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Log-ins under way count as failed until they succeed: an office behind one address comes in all at once.
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,5/5m/key", "login": "60/m/ip", "reset_password": "20/m/ip,5/m/key"}
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an address is not proven where a manager saw the link of its invitation
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_FORMS = {
    "add_webauthn": "pilotbase.hub.people.passkeys.NewPasskeyForm",
    "edit_webauthn": "pilotbase.hub.people.passkeys.RenameForm",
    "login_webauthn": "pilotbase.hub.people.passkeys.LoginForm",
    "authenticate_webauthn": "pilotbase.hub.people.passkeys.SecondFactorForm",
    "reauthenticate_webauthn": "pilotbase.hub.people.passkeys.ReauthenticateForm",
}
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}
MFA_TOTP_ISSUER = "Pilotbase"
MFA_ADAPTER = "pilotbase.hub.people.adapters.SecondFactorAdapter"
USERSESSIONS_TRACK_ACTIVITY = False
ALLAUTH_TRUSTED_PROXY_COUNT = CONFIGURATION.proxies
SOCIALACCOUNT_ADAPTER = "pilotbase.hub.people.adapters.IdentityProviderAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10


def _identity_providers() -> dict[str, Any]:
    if not CONFIGURATION.oidc_url:
        return {}
    secret = Path(CONFIGURATION.oidc_secret_file).read_text("utf-8").strip() if CONFIGURATION.oidc_secret_file else ""
    application = {
        "provider_id": "base",
        "name": CONFIGURATION.oidc_name,
        "client_id": CONFIGURATION.oidc_client,
        "secret": secret,
        "settings": {"server_url": CONFIGURATION.oidc_url},
    }
    return {"openid_connect": {"APPS": [application], "OAUTH_PKCE_ENABLED": True}}


SOCIALACCOUNT_PROVIDERS = _identity_providers()

# Browser.
_HOST_PREFIX = "__Host-" if CONFIGURATION.secure else ""
SESSION_COOKIE_NAME = f"{_HOST_PREFIX}pilotbase-session"
SESSION_COOKIE_AGE = int(timedelta(hours=CONFIGURATION.session_hours).total_seconds())
SESSION_COOKIE_SECURE = CONFIGURATION.secure
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_HOST_PREFIX}pilotbase-csrf"
CSRF_COOKIE_SECURE = CONFIGURATION.secure
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [CONFIGURATION.url]
CSRF_FAILURE_VIEW = "pilotbase.hub.problems.csrf_failed"
LANGUAGE_COOKIE_NAME = "pilotbase-language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = CONFIGURATION.secure
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_AGE = 365 * 86_400
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if CONFIGURATION.secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONFIGURATION.proxies else None
X_FRAME_OPTIONS = "DENY"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = MAXIMUM_PIECE  # a piece of an upload never lies on the disk in plain
FILE_UPLOAD_TEMP_DIR = str(HOME.scratch)
FILE_UPLOAD_PERMISSIONS = 0o600

# Languages: our own sentences come from `documents.texts`; Django's catalogues give those of forms.
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "zh-hans" if CONFIGURATION.language == "zh" else "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]

# Static files come with packages; whitenoise finds them there, nothing is collected.
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "pilotbase.hub.caching.MarkedStorage"},
}
STATICFILES_DIRS = [("hub", str(Path(drawing.__file__).parent / "look"))]  # the colours of reports and charts too
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600

# Mail.
DEFAULT_FROM_EMAIL = SERVER_EMAIL = CONFIGURATION.mail_from
EMAIL_TIMEOUT = 15
EMAIL_FILE_PATH = str(HOME.path / "mail")
if CONFIGURATION.mail == "folder":
    EMAIL_BACKEND = "pilotbase.hub.people.postman.FolderBackend"
elif CONFIGURATION.mail == "console":
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
else:
    _mail = urlsplit(CONFIGURATION.mail)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = _mail.scheme == "smtp" and not CONFIGURATION.local

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # counts of log-ins and requests must not be thrown out by each other
    }
}
LOGGING = logging_settings(CONFIGURATION.log)
