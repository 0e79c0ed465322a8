"""Untrusted text, made safe: nothing in it hides, reorders or overlays other text."""

from __future__ import annotations

import unicodedata

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Categories of controls, format characters (right-to-left overrides, zero-width joiners), surrogates, private and
unassigned characters."""
_HIDDEN_CATEGORIES = UNSEEN | {"Zl", "Zp"}
"""Line and paragraph separators too."""
_KEPT = frozenset("\n\t")
_MARKS_IN_A_ROW = 4
"""Combining marks stacked higher than this would paint over neighbouring lines."""


CONTINUED = "\n  │ "
"""Prefix of continuation lines of untrusted text, so that nobody takes them for one of our sentences."""


def make_visible(content: str) -> str:
    """Return ``content`` with each hidden or reordering character spelled as ``⟨U+202E⟩``."""
    if content.isascii() and content.isprintable():
        return content
    spelled: list[str] = []
    marks = 0
    for character in content:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        hidden = (category in _HIDDEN_CATEGORIES and character not in _KEPT) or marks > _MARKS_IN_A_ROW
        spelled.append(f"⟨U+{ord(character):04X}⟩" if hidden else character)
    return "".join(spelled)


def format_for_terminal(content: str) -> str:
    """Return ``content`` without terminal control characters, and with continuation lines marked as untrusted."""
    visible = make_visible(content)
    return visible if visible.isprintable() else CONTINUED.join(visible.rstrip("\n").expandtabs(4).split("\n"))
