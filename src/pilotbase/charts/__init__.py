"""Charts of reports and of the hub as inline SVG: functions from documents to an ``<svg>`` element in one language.

Each chart is self-contained: text stays text, `<title>` and `<desc>` for readers, no scripts, no styles, no
identifiers, the same bytes on every machine; `one_file` builds self-contained pages, too. ``format_number`` and related
functions of `scales` spell numbers as the charts do.
"""
