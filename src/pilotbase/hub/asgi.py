"""What a web server runs."""

from __future__ import annotations

import os
import warnings

import django
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilotbase.hub.settings")
# whitenoise gives our few small files as plain iterators.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
django.setup(set_prefix=False)
application = get_asgi_application()
