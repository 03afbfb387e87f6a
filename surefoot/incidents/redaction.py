"""Takes secrets and personal data out of text that people and programs beyond the run will read."""

import re

from pydantic import JsonValue

_NAMED = r"(?:api[-_ ]?key|access[-_ ]?key|secret|token|password|passwd|pwd|authorization|x-[a-z-]{1,30}key)"

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
        "[private key]",
    ),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.I), r"\1 [token]"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){1,2}"), "[token]"),
    (re.compile(r"\b(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abprs])[-_][A-Za-z0-9_-]{8,}"), "[api key]"),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{20,}"), "[api key]"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), "[api key]"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://)[^\s/@:]{0,200}:[^\s/@]{1,500}@", re.I), r"\1[password]@"),
    (
        re.compile(rf"(\b{_NAMED}\b[\"']?\s*[:=]\s*)(?!\s*(?:bearer|basic)\s)[\"']?[^\s\"',;&}}]+[\"']?", re.I),
        r"\1[secret]",
    ),
    (re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}"), "[mail address]"),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b"), "[hex]"),
)
_IBAN = re.compile(r"(?<![\dA-Za-z])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\dA-Za-z])")
_PHONE = re.compile(r"(?<![\w+.])(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,5}\)?){2,6}(?!\w)")
"""Numbers in the international form (ITU-T E.123) alone: others look like order numbers."""
_CARD = re.compile(r"(?<![\dA-Za-z.])(?:\d[ -]?){12,18}\d(?![\dA-Za-z])")


def redact(text: str) -> str:
    """The text without keys, passwords, mail addresses, phone, card and account numbers, and long hexadecimals."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = _IBAN.sub(lambda match: "[IBAN]" if _is_iban(match[0]) else match[0], text)
    text = _PHONE.sub(lambda match: "[phone number]" if 8 <= sum(map(str.isdigit, match[0])) <= 17 else match[0], text)
    return _CARD.sub(lambda match: "[card number]" if _luhn(match[0]) else match[0], text)


def _is_iban(text: str) -> bool:
    """Whether the check digits fit (ISO 13616, ISO/IEC 7064 MOD 97-10)."""
    compact = text.replace(" ", "")
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def _luhn(text: str) -> bool:
    """Whether the digits carry the check digit of payment cards (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def redacted(value: JsonValue) -> JsonValue:
    """A JSON value with every text in it redacted, keys apart."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, dict):
        return {key: redacted(item) for key, item in value.items()}
    return value
