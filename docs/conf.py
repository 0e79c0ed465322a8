"""How Sphinx makes the site of these pages: ``make docs`` builds it into ``build/site``; broken links are errors."""

import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

from site_of_docs import bilingual, pages

project = "Pilotbase 中试基地"
html_title = project
root_doc = "index"
extensions = ["myst_parser"]
exclude_patterns = ["schema", "evidence"]
smartquotes = False
"""Two hyphens before an option stay two hyphens."""
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_static_path = ["site_of_docs/static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_use_index = False
html_show_copyright = False
html_search_language = bilingual.Bilingual.lang
highlight_language = "none"


def setup(app: Sphinx) -> None:
    """Add what these pages need beyond Markdown: navigation, anchors, links that leave the docs, two languages."""
    pages.setup(app)
    bilingual.setup(app)
