"""A runbook as a page for a browser: nothing from outside becomes markup, and nothing on it runs."""

from html import escape
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ background: #f2f2f2; padding: .6rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }}
code {{ font-family: ui-monospace, monospace; overflow-wrap: anywhere; }}
h1, h2 {{ line-height: 1.2; }}
</style>
</head>
<body>
{body}</body>
</html>
"""


class _Reader(MarkdownIt):
    """Reads a link to anything but http and https as text."""

    def validateLink(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and bool(parts.netloc)


def rendered(markdown: str) -> str:
    """The Markdown as one complete page. HTML in it is shown as text, images are links' texts, links are http only."""
    parser = _Reader("commonmark", {"html": False}).disable(["image", "html_block", "html_inline"])
    tokens = parser.parse(_visible(markdown))
    title = next((tokens[at + 1].content for at, one in enumerate(tokens) if one.type == "heading_open"), "Runbook")
    body = parser.renderer.render(tokens, parser.options, {})
    return _PAGE.format(title=escape(title.replace("`", "")), body=body)


def _visible(text: str) -> str:
    """Without control characters and marks that turn the direction of writing, each of which becomes a space."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
