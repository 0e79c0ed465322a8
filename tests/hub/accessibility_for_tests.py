"""What is wrong with a page for people who see little, use a keyboard or hold a phone: axe, and a little more."""

from axe_playwright_python.sync_playwright import Axe

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "rules": {"label-content-name-mismatch": {"enabled": True}},
}
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
NAMELESS_TABLES = (
    "() => [...document.querySelectorAll('table')].filter(e => !e.caption).map(e => e.outerHTML.slice(0, 120))"
)
SMALL_LETTERS = """() => [...document.querySelectorAll('.chart text')].filter(e => e.getClientRects().length)
    .filter(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a < 11.9).map(e => e.textContent)"""
FOUND_BY_STRANGERS = """() => [
    ...(document.querySelector('meta[name=description]')?.content ? [] : ['no description']),
    ...[...document.querySelectorAll('a')].map(e => e.textContent.trim())
        .filter(words => /^(more|here|click here|this|read more|更多|这里|点击这里)$/i.test(words)),
    ...[...document.images].filter(e => !e.getAttribute('width') || !e.getAttribute('height')).map(e => e.outerHTML)]"""
"""What search engines and slow lines stumble over: a page without description, links that name nothing, pictures
that push the text away when they arrive."""
_axe = Axe()


def examine(page) -> list[tuple[str, object]]:
    """Return (rule, where) of everything that is wrong with the page that is open."""
    found = _axe.run(page, options=RULES).response["violations"]
    problems = [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"][:3]]
    problems += [("table without caption", one) for one in page.evaluate(NAMELESS_TABLES)]
    problems += [("letters of a chart below 12 pixels", one) for one in page.evaluate(SMALL_LETTERS)]
    wide = page.evaluate(WIDE)
    return problems + ([("wider than the screen", wide)] if wide > 0 else [])
