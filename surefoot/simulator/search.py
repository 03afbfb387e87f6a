"""A search engine that finds something for every query, the same each time."""

import hashlib

from pydantic import JsonValue

SITES = ("encyclopedia.example", "journal.example", "daily.example", "archive.example")
CLAIMS = (
    "has been studied for {n} years, and the early results still hold",
    "costs about {n} % less than it did a decade ago",
    "is used by {n} of the hundred largest firms",
    "breaks most often at its seams, in {n} of a hundred cases",
    "was first described in a paper of {n} pages",
    "saves {n} hours a month where it replaces manual work",
)


def results_for(query: str) -> list[JsonValue]:
    """Three results with a title, an address and a snippet that names the query."""
    return [_result(query, rank) for rank in range(3)]


def _result(query: str, rank: int) -> JsonValue:
    dice = hashlib.sha256(f"{query.lower()}#{rank}".encode()).digest()
    claim = CLAIMS[(dice[0] + rank) % len(CLAIMS)].format(n=2 + dice[1] % 60)
    slug = "-".join(query.lower().split())[:60]
    return {
        "title": f"{query[:80]}: part {rank + 1}",
        "url": f"https://{SITES[dice[2] % len(SITES)]}/{slug}/{rank + 1}",
        "snippet": f"{query[:200]} {claim}.",
    }
