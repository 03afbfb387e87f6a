"""Ids that make a thing happen once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.contracts.runs import RunRequest
from surefoot.idempotency import MAX_WORKFLOW_ID, canonical, effect_key, fingerprint, identifying, workflow_id

NAMES = st.text(min_size=1, max_size=255)


def request(**given: str) -> RunRequest:
    return RunRequest.model_validate({"prompt": "Hello", "profile": "support", "key": "k", "session": "s", **given})


@given(NAMES, NAMES, NAMES, NAMES)
def test_different_tenants_and_keys_give_different_workflow_ids(a: str, b: str, c: str, d: str) -> None:
    assert (workflow_id(a, b) == workflow_id(c, d)) == ((a, b) == (c, d))


@given(NAMES, NAMES)
def test_workflow_ids_fit_into_temporal(tenant: str, key: str) -> None:
    assert len(workflow_id(tenant, key).encode()) <= MAX_WORKFLOW_ID + len("run:")


def test_a_colon_in_a_name_does_not_move_the_boundary() -> None:
    assert workflow_id("a:b", "c") != workflow_id("a", "b:c")
    assert workflow_id("ä" * 255, "b") != workflow_id("ä" * 255, "c")


def test_key_order_and_whole_floats_make_no_difference() -> None:
    assert canonical({"b": 1, "a": [1.0, {"y": 2, "x": 3}]}) == canonical({"a": [1, {"x": 3, "y": 2.0}], "b": 1.0})
    assert canonical({"a": 1}) != canonical({"a": True})


def test_a_fingerprint_is_of_what_was_asked_and_not_of_the_key() -> None:
    assert fingerprint(request()) == fingerprint(request(key="other"))
    for other in ({"prompt": "Bye"}, {"profile": "research"}, {"session": "t"}, {"user": "ada"}):
        assert fingerprint(request()) != fingerprint(request(**other))


def test_every_part_of_an_effect_key_counts() -> None:
    parts = {"namespace": "n", "tenant": "t", "workflow_id": "w", "tool": "x", "identity": {"a": 1}, "occurrence": 0}
    keys = {
        effect_key(**{**parts, **change})  # type: ignore[arg-type]  # one part at a time
        for change in (
            {},
            {"namespace": "m"},
            {"tenant": "u"},
            {"workflow_id": "v"},
            {"tool": "y"},
            {"identity": {"a": 2}},
            {"occurrence": 1},
        )
    }
    assert len(keys) == 7


def test_identifying_arguments_are_those_named_or_all() -> None:
    arguments = {"a": 1, "b": 2}
    assert identifying(arguments, None) == arguments
    assert identifying(arguments, ("a", "c")) == {"a": 1, "c": None}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"prompt": " \n"}, "the prompt is empty"),
        ({"prompt": "x" * 1_000_001}, "as a message, of which 262144 fit; shorten it"),
        ({"session": "a\x00b"}, "control characters"),
        ({"key": "k" * 256}, "at most 255"),
    ],
)
def test_a_request_that_cannot_be_used_says_why(given: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        request(**given)
