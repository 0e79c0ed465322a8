"""The peer: the simplest Django page over the same rows, one model, one query set, one template; no accounts.

It shows everything to everyone, in one language: no log-in, no filter by organisation, no record beside the row.
"""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse

_TEMPLATE = """<!doctype html><title>{{ total }}</title><table>{% for row in rows %}<tr><td>{{ row.subject }}</td>
<td>{{ row.title }}</td><td>{{ row.owner }}</td><td>{{ row.sector }}</td><td>{{ row.state }}</td></tr>
{% endfor %}</table>"""

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["PEER_DATABASE"]}},
    ROOT_URLCONF=__name__,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    SECRET_KEY="peer",
)
django.setup(set_prefix=False)

from django.core.asgi import get_asgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.template import Template  # noqa: E402
from django.template.context import Context  # noqa: E402
from django.urls import path  # noqa: E402


class Row(models.Model):
    """One listing."""

    subject = models.CharField(primary_key=True, max_length=200)
    kind = models.CharField(max_length=20)
    state = models.CharField(max_length=30)
    sector = models.CharField(max_length=40)
    owner = models.CharField(max_length=120)
    title = models.TextField()
    words = models.TextField()
    sequence = models.BigIntegerField()

    class Meta:
        app_label = "peer"
        db_table = "listings"
        managed = False

    def __str__(self) -> str:
        return self.subject


def show(request: HttpRequest) -> HttpResponse:
    """List scenarios that contain every word of ``q``, newest first, with their number."""
    rows = Row.objects.filter(kind="scenario")
    for word in request.GET.get("q", "").split():
        rows = rows.filter(words__contains=word)
    shown = {"rows": rows.order_by("-sequence")[:50], "total": rows.count()}
    return HttpResponse(Template(_TEMPLATE).render(Context(shown)))


urlpatterns = [path("", show)]
application = get_asgi_application()
