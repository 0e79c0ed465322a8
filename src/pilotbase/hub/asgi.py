"""What a web server runs."""

from __future__ import annotations

import os
import tempfile

import django
from django.conf import settings
from django.core.asgi import get_asgi_application

from pilotbase.hub.bounds import bounded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilotbase.hub.settings")
django.setup(set_prefix=False)
tempfile.tempdir = settings.FILE_UPLOAD_TEMP_DIR  # large bodies wait there, where nobody else on this machine looks
application = bounded(get_asgi_application(), settings.CONFIGURATION.form_bytes)
