"""Files as answers, whole or one part of them (RFC 9110, section 14): given as downloads and as nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from pilotbase.documents.files import File, Part, Stretch
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Language
from pilotbase.hub.acting import language
from pilotbase.hub.bounds import RangeError
from pilotbase.worker.sample_bundles.packing import Bundle

CSV = "text/csv; charset=utf-8"
_POLICY = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def part_of(request: HttpRequest) -> Part:
    """Return which part of a file ``request`` asks for, once its size and its tag are known.

    Several parts at once, other units, and what cannot be read ask for the whole, as RFC 9110 lets a server do
    (sections 14.2 and 14.1.1); so does ``If-Range`` with another tag, or with a date (section 13.1.5).
    """
    asked, seen = request.headers.get("Range", ""), request.headers.get("If-Range")

    def part(size: int, tag: Digest) -> Stretch | None:
        found = _ONE_RANGE.fullmatch(asked.strip())
        if found is None or found[1] == found[2] == "" or (seen is not None and seen.strip() != f'"{tag}"'):
            return None
        if not found[1]:
            start, end = max(size - int(found[2]), 0), size
        else:
            start, end = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
            if found[2] and int(found[2]) < start:
                return None
        if start >= min(end, size):
            raise RangeError(asked.strip()[:80], size)
        return Stretch(start, end)

    return part


def file_response(taken: File, media: str = "application/octet-stream") -> StreamingHttpResponse:
    """Return a file as a download, piece by piece: one that was stopped is too short.

    No browser shows it here, whatever it is.
    """
    response = StreamingHttpResponse(taken.pieces, content_type=media)
    length = taken.size
    if taken.part is not None:
        response.status_code = 206
        length = taken.part.end - taken.part.start
        response["Content-Range"] = f"bytes {taken.part.start}-{taken.part.end - 1}/{taken.size}"
    response["Content-Length"] = str(length)
    response["Accept-Ranges"] = "bytes" if taken.in_parts else "none"
    if taken.tag:
        response["ETag"] = f'"{taken.tag}"'
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(taken.name, safe='')}"
    response["Content-Security-Policy"] = _POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


def download(content: bytes, kind: str, name: str) -> HttpResponse:
    """Return bytes of a media type as a file to keep."""
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def streamed_csv(pieces: Iterable[bytes], name: str) -> StreamingHttpResponse:
    """Return a table as a file to keep that is sent as it is made; no piece is empty."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type=CSV, headers=headers)


def bundle_response(bundle: Bundle) -> HttpResponse:
    """Return the archive as a file to keep."""
    return download(bundle.archive, "application/zip", bundle.name)


def report_language(request: HttpRequest) -> tuple[Language, str]:
    """Return the language in which a report is asked for, and the address of the same page in the other one."""
    asked = request.GET.get("language", "")
    chosen: Language = "en" if asked == "en" else "zh" if asked == "zh" else language()
    return chosen, f"?language={'zh' if chosen == 'en' else 'en'}"


def sandboxed(page: str) -> HttpResponse:
    """Return a report, in which nothing can run or reach anything: its own policy allows its stylesheet by hash."""
    return HttpResponse(page, headers={"Content-Security-Policy": _REPORT_POLICY})
