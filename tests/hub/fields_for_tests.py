"""What a form on a page would send as it stands, as a browser without script does."""

import re
from html.parser import HTMLParser


class _Form(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.forms, self._select, self._area = [], None, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        name, value = known.get("name"), known.get("value", "")
        if tag == "form":
            self.forms.append({})
        elif tag == "option" and self._select and ("selected" in known or self._select[0] is None):
            self._select[0] = value if self._select[0] is None else self._select[0]
            if "selected" in known:
                self._select[2].append(value)
        elif not self.forms or not name or name == "csrfmiddlewaretoken":
            return
        elif tag == "textarea":
            self._area = name
            self.forms[-1][name] = ""
        elif tag == "select":
            self._select = [None, name, [], "multiple" in known]
        elif tag == "input" and known.get("type") not in ("checkbox", "radio", "file"):
            self.forms[-1][name] = value
        elif tag == "input" and "checked" in known:
            self.forms[-1].setdefault(name, []).append(value or "on")

    def handle_data(self, data):
        if self._area:
            self.forms[-1][self._area] += data

    def handle_endtag(self, tag):
        if tag == "textarea" and self._area:
            self.forms[-1][self._area] = self.forms[-1][self._area].removeprefix("\n")
            self._area = None
        elif tag == "select" and self._select:
            first, name, chosen, multiple = self._select
            self.forms[-1][name] = chosen if multiple else [*chosen, first or ""][0]
            self._select = None


def fields_of(page):
    """Return the fields of the largest form of a page."""
    return max(_Form(page).forms, key=len)


def refusals(page):
    """Return what a page says against what was sent."""
    return re.findall(r'class="wrong-why" id="(.*?)_error">(.*?)<|role="alert"[^>]*>(.*?)</div>', page, re.S)
