"""Conversations that a worker remembers for itself: the latest of each run, and of all runs so many bytes."""

from collections import OrderedDict

from surefoot.contracts.transcripts import TranscriptRef
from surefoot.ports import Said

A_MESSAGE, A_CONVERSATION = 1024, 8192
"""Bytes of memory that each takes beside its text."""


class AtHand:
    """What is found is what the reference means, to the digest; what was not used for the longest is forgotten."""

    def __init__(self, most: int) -> None:
        """``most`` are the bytes of all conversations, about; nothing is remembered if it is 0."""
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, tuple[TranscriptRef, Said]] = OrderedDict()

    def get(self, ref: TranscriptRef) -> Said | None:
        """The preamble is left out if the reference is to the messages alone."""
        known, said = self._kept.get(ref.key, (None, Said()))
        if known is None or (known.length, known.digest) != (ref.length, ref.digest):
            return None
        if ref.preamble and ref.preamble != known.preamble:
            return None
        self._kept.move_to_end(ref.key)
        return said if ref.preamble else Said(said.messages)

    def put(self, ref: TranscriptRef, said: Said) -> None:
        before = self._kept.pop(ref.key, None)
        self._size -= _weight(before[0]) if before else 0
        self._kept[ref.key] = (ref, said)
        self._size += _weight(ref)
        while self._size > self._most:
            _, (forgotten, _) = self._kept.popitem(last=False)
            self._size -= _weight(forgotten)


def _weight(ref: TranscriptRef) -> int:
    return A_CONVERSATION + ref.length * A_MESSAGE + ref.size
