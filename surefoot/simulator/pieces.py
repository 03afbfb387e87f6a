"""How a streamed text is cut: never finer than a few words, never in many pieces."""

SMALLEST = 24
MOST = 12


def pieces(text: str) -> list[str]:
    """Cut a text into pieces of equal length, in characters; none of an empty one."""
    size = max(SMALLEST, -(-len(text) // MOST))
    return [text[start : start + size] for start in range(0, len(text), size)]
