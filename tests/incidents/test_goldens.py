"""The runbooks that people have read are those that incidents get.

After a change that is meant: ``python -m tests.incidents.golden``, and read the difference.
"""

import pytest

from surefoot.contracts.incidents import IncidentKind
from tests.incidents.golden import FOLDER, golden, written


@pytest.mark.parametrize("kind", IncidentKind)
def test_a_runbook_is_word_for_word_the_one_that_was_read(kind: IncidentKind) -> None:
    assert written(kind) == golden(kind).read_text(encoding="utf-8")


def test_each_kind_has_a_golden_runbook_and_no_other_is_kept() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(IncidentKind)
