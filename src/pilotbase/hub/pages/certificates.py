"""Checking a certificate: no account is needed."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from pilotbase.charts import qr_code
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import certificate_address
from pilotbase.hub.presenters.beside_certificates import beside_certificate
from pilotbase.hub.sentences import t
from pilotbase.worker.trials import certificates

_MAXIMUM_BYTES = 1 << 20


class CheckForm(forms.Form):
    """A certificate as a file, as text, or by its number."""

    file = forms.FileField(label=t("hub.field_certificate_file"), required=False)
    pasted = forms.CharField(
        label=t("hub.field_certificate_text"),
        help_text=t("hub.help_certificate_text"),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        required=False,
        max_length=_MAXIMUM_BYTES,
    )

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        upload = given.get("file")
        if not upload and not given.get("pasted"):
            raise ValidationError(t("hub.nothing_given"))
        if upload and upload.size > _MAXIMUM_BYTES:
            raise ValidationError(t("hub.certificate_too_large"))
        return given

    def serial(self) -> str:
        """Return the number that was pasted, without its algorithm, or nothing where something else was."""
        pasted = hex_of(self.cleaned_data["pasted"].strip().lower())
        return pasted if len(pasted) == 64 and set(pasted) <= set("0123456789abcdef") else ""

    def given(self) -> bytes:
        """Return the bytes that were given."""
        upload = self.cleaned_data.get("file")
        return bytes(upload.read()) if upload else str(self.cleaned_data["pasted"]).encode("utf-8", "replace")


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HubRequest) -> HttpResponse:
    """Check a certificate that is uploaded or pasted."""
    form = CheckForm(*posted_files(request))
    checked = None
    if request.method == "POST" and form.is_valid():
        if form.serial():
            return redirect("certificate", serial=form.serial())
        checked = certificates.check(base(), form.given())
    shown = {"title": text("hub.nav_certificates"), "form": form, "checked": checked}
    return render(request, "hub/certificate_check.html", shown)


@require_safe
def show(request: HubRequest, serial: str) -> HttpResponse:
    """Show a certificate of this base and whether it holds now."""
    checked = certificates.check_issued(base(), serial)
    shown = {"title": text("hub.certificate"), "checked": checked, "serial": serial}
    shown |= beside_certificate(request.acting, certificates.issued(base(), serial), checked)
    crumbs = [{"url": "/certificates/", "label": text("hub.nav_certificates")}]
    return render(request, "hub/certificate.html", {**shown, "crumbs": crumbs})


@require_safe
def download(request: HubRequest, serial: str) -> HttpResponse:
    """Give the signed envelope, to be checked offline."""
    response = HttpResponse(certificates.issued(base(), serial).envelope.to_bytes(), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="certificate-{serial[:12]}.json"'
    return response


@require_safe
def qr(request: HubRequest, serial: str) -> HttpResponse:
    """Give the QR code that stands on the certificate's page."""
    certificates.issued(base(), serial)
    title = text("hub.qr_of_certificate").render(language())
    return HttpResponse(qr_code(certificate_address(serial), title), content_type="image/svg+xml")
