"""A runbook on a page runs nothing, loads nothing and leads nowhere but to the web."""

from html.parser import HTMLParser

import pytest

from surefoot.contracts.incidents import ComposeRequest, IncidentKind
from surefoot.incidents.html import rendered
from surefoot.incidents.runbook import RunbookWriter
from tests.incidents.reports import EVIDENCE, report

HARMLESS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "ul", "ol", "li"),
    *("pre", "code", "strong", "em", "a", "blockquote", "hr", "br"),
}


class Page(HTMLParser):
    """What a browser would make of a page: its tags, its links and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(page: Page) -> None:
    assert set(page.tags) <= HARMLESS
    assert not [name for name in page.names if name.startswith("on")]
    assert all(link.startswith(("https://", "http://")) for link in page.links)


@pytest.mark.parametrize("kind", IncidentKind)
def test_a_runbook_is_a_whole_page(kind: IncidentKind) -> None:
    request = ComposeRequest(incident_id="incident-1", report=report(kind))
    markdown = RunbookWriter().write(request, EVIDENCE).markdown
    html = rendered(markdown)
    page = Page(html)
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")
    assert page.tags.count("h2") == markdown.count("\n## ")
    assert page.tags.count("pre") == markdown.count("```") / 2
    assert "./starter.py incidents resolve incident-1" in page.text
    assert_harmless(page)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[click](javascript:alert(1)) [data](data:text/html,x) [file](file:///etc/passwd) [mail](mailto:a@b.c)",
        "[click](JaVaScRiPt:alert(1)) [blank](//evil.example) [nowhere](https://) [broken](http://[x)",
        "<javascript:alert(1)> <vbscript:x>",
        "![pixel](https://evil.example/pixel.png)",
        "</title></style></body><iframe src='https://evil.example'>",
        "# <svg onload=alert(1)>",
        "```html\n<script>alert(1)</script>\n```",
        "`<script>` &lt;script&gt; &#x3C;script&#x3E;",
        "[x]: javascript:alert(1)\n\n[x]",
        "{title} {body} {0} %s {{ 7 * 7 }}",
        "a\x00b\x1b[31m \u202egnp.exe \u2066 \ud800",
        '"><script>alert(1)</script>',
    ],
)
def test_nothing_from_outside_becomes_markup(hostile: str) -> None:
    html = rendered(f"# SEV1: {hostile}\n\n{hostile}\n\n- {hostile}")
    assert_harmless(Page(html))
    assert not set(html) & set("\x00\x1b\u202e\u2066\ud800")
    assert "49" not in Page(html).text


def test_a_link_to_the_web_can_be_followed() -> None:
    page = Page(rendered("See <https://temporal.example/run?id=1&x=2> and [it](http://127.0.0.1:8233/namespaces)"))
    assert page.links == ["https://temporal.example/run?id=1&x=2", "http://127.0.0.1:8233/namespaces"]


def test_the_page_says_in_its_title_what_it_is_about_and_runs_nothing() -> None:
    html = rendered("# SEV3: circuit of `a < b` is open")
    assert "<title>SEV3: circuit of a &lt; b is open</title>" in html
    assert "default-src 'none'" in html
    assert "<title>Runbook</title>" in rendered("no heading")
