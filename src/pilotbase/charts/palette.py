"""Colours of charts and reports (design tokens), each readable on white at WCAG 2.2 AA. Red means bad only."""

from __future__ import annotations

INK = "#1f2733"
MUTED = "#596474"
LINE = "#d5dbe3"
HAIR = "#e9edf2"
PAPER = "#ffffff"

BLUE = "#1677ff"
DEEP_BLUE = "#0958d9"
PALE_BLUE = "#dbeaff"

GREEN = "#1d7a1d"
RED = "#cf1322"
AMBER = "#9a5b00"
PALE_GREEN = "#e9f6e6"

FONT = "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
