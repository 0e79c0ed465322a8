"""What a web server runs."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.asgi import get_asgi_application

from pilotbase.hub.bounds import bounded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilotbase.hub.settings")
django.setup(set_prefix=False)
application = bounded(get_asgi_application(), settings.CONFIGURATION.form_bytes)
