"""What a web server runs."""

from __future__ import annotations

import os

import django
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilotbase.hub.settings")
django.setup(set_prefix=False)
application = get_asgi_application()
