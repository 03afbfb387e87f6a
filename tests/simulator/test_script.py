"""The scripted model reads a conversation and does what an agent's model would do."""

import json
import re

import pytest

from surefoot.contracts.conversation import AssistantMessage, CallPart, ConversationMessage, TextPart, ToolMessage
from surefoot.contracts.models import Finish
from surefoot.simulator.script import perform
from tests.simulator.stage import ADA, BACK_AT, DOUBT, TEAPOT, Tools, answer_of, calls_of, play, prompt_of, turns_of

BROKEN = "My order A-1001 arrived broken, I want my money back. ada@example.com"
DESK: Tools = {
    "look_up_customer": ADA,
    "look_up_order": TEAPOT,
    "issue_refund": '{"id": "RF-4001", "amount": "49.90"}',
    "start_return": '{"id": "RT-3001", "label": "https://shop.example/1.pdf"}',
}
OPERATIONS: Tools = {
    "create_order": lambda call: json.dumps({"id": f"B-{call.arguments['quantity']}", "total": "10.00"}),
    "send_email": '{"id": "M-1"}',
}
FOUND = json.dumps({"results": [{"title": "One", "snippet": "Sails fly."}, {"title": "Two", "snippet": "Sails fold."}]})


def test_support_looks_both_up_at_once_and_refunds_what_was_paid() -> None:
    told = play(BROKEN, tools=DESK)
    assert turns_of(told) == [["look_up_customer", "look_up_order"], ["issue_refund"]]
    (customer, order), (refund,) = calls_of(told)
    assert customer.arguments == {"customer": "ada@example.com"}
    assert order.arguments == {"order_id": "A-1001"}
    assert refund.arguments == {"order_id": "A-1001", "amount": "49.90", "reason": "broken"}
    assert "Dear Ada Lovelace" in answer_of(told)
    assert "refunded 49.90 EUR" in answer_of(told)


def test_support_starts_a_return_for_who_wants_to_send_it_back() -> None:
    told = play("I want to return A-1001, it is too big", tools=DESK)
    assert turns_of(told) == [["look_up_order"], ["start_return"]]
    assert "RT-3001" in answer_of(told)


def test_support_only_tells_who_only_asks() -> None:
    told = play("Where is my order A-1001?", tools=DESK)
    assert turns_of(told) == [["look_up_order"]]
    assert "is delivered" in answer_of(told)


def test_support_finds_an_address_beside_a_word_of_200_kb() -> None:
    told = play(f"{'x' * 200_000} broken: A-1001 (ada.l+shop@mail.example.com)", tools=DESK)
    [customer, _] = calls_of(told)[0]
    assert customer.arguments == {"customer": "ada.l+shop@mail.example.com"}


def test_support_asks_for_what_it_needs() -> None:
    assert "order number" in answer_of(play("It is broken!", tools=DESK))


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (BACK_AT, "Please try again at 12:30:05 UTC."),
        ("'issue_refund' failed after 3 attempts: 500. Nothing was changed by it.", "failed after 3 attempts"),
        (DOUBT, "I do not know whether your refund went through"),
        ("The call was rejected by a human and not made. Feedback: wait a week", "decided against your refund: wait a"),
        ("'issue_refund' was not called: amount is missing.", "your refund did not work"),
        ('{"error": "gone", "retry": "in 30 seconds"}', "try again in 30 seconds"),
        ("Try again after 2026-11-21T10:00:00Z", "try again after 2026-11-21T10:00:00Z"),
    ],
)
def test_support_tells_of_trouble_and_does_not_call_again(result: str, words: str) -> None:
    told = play(BROKEN, tools={**DESK, "issue_refund": result})
    assert turns_of(told) == [["look_up_customer", "look_up_order"], ["issue_refund"]]
    assert words in answer_of(told)
    assert "We have refunded" not in answer_of(told)


def test_support_does_not_refund_an_order_that_it_could_not_look_up() -> None:
    told = play(BROKEN, tools={**DESK, "look_up_order": BACK_AT})
    assert turns_of(told) == [["look_up_customer", "look_up_order"]]
    assert "order service is unavailable" in answer_of(told)


def test_support_does_without_tools_that_are_not_offered() -> None:
    told = play(BROKEN, tools={"look_up_customer": ADA, "look_up_order": TEAPOT})
    assert turns_of(told) == [["look_up_customer", "look_up_order"]]


def test_operations_orders_everything_at_once_and_then_writes() -> None:
    told = play("Order 3 x desk lamp and order 2 mugs, then mail bob@example.com that they come", tools=OPERATIONS)
    assert turns_of(told) == [["create_order", "create_order"], ["send_email"]]
    (lamps, mugs), (mail,) = calls_of(told)
    assert lamps.arguments == {"product": "desk lamp", "quantity": 3}
    assert mugs.arguments == {"product": "mugs", "quantity": 2}
    assert mail.arguments["to"] == "bob@example.com"
    assert "B-3 (10.00 EUR), B-2 (10.00 EUR)" in str(mail.arguments["body"])
    assert answer_of(told) == "Ordered: B-3 (10.00 EUR), B-2 (10.00 EUR). Mail sent to bob@example.com."


def test_operations_does_not_write_about_an_order_that_failed() -> None:
    told = play("order 1 teapot, mail bob@example.com", tools={**OPERATIONS, "create_order": BACK_AT})
    assert turns_of(told) == [["create_order"]]
    assert "12:30:05" in answer_of(told)


def test_operations_can_only_write() -> None:
    told = play("e-mail to bob@example.com: the shop is closed", tools=OPERATIONS)
    [[mail]] = calls_of(told)
    assert mail.arguments["body"] == "the shop is closed."


def test_research_publishes_again_with_the_feedback_until_it_is_taken() -> None:
    verdicts = iter(["The call was rejected by a human and not made. Feedback: name the costs", '{"title": "T"}'])
    told = play(
        "Research solar sails and publish a summary.",
        tools={"search": FOUND, "publish_summary": lambda _: next(verdicts)},
    )
    assert turns_of(told) == [["search"], ["publish_summary"], ["publish_summary"]]
    [search], [first], [second] = calls_of(told)
    assert search.arguments == {"query": "solar sails"}
    assert "Sails fly." in str(first.arguments["summary"])
    assert first.arguments["summary"] != second.arguments["summary"]
    assert "name the costs" in str(second.arguments["summary"])
    assert answer_of(told).startswith("Published")


def test_research_does_not_try_again_what_failed() -> None:
    told = play("Research tea", tools={"search": FOUND, "publish_summary": BACK_AT})
    assert turns_of(told) == [["search"], ["publish_summary"]]
    told = play("Research tea", tools={"search": BACK_AT, "publish_summary": "{}"})
    assert turns_of(told) == [["search"]]
    assert "12:30:05" in answer_of(told)


def test_research_searches_for_both_when_it_compares() -> None:
    told = play("Compare what is known about tea and coffee.", tools={"search": FOUND})
    assert [call.arguments for call in calls_of(told)[0]] == [{"query": "tea"}, {"query": "coffee"}]
    assert "Sails fly." in answer_of(told)


@pytest.mark.parametrize(("words", "said"), [("3000 words", 3000), ("1,200 words", 1200), ("40-word", 40)])
def test_a_report_has_the_length_that_was_asked_for(words: str, said: int) -> None:
    answer = answer_of(play(f"report of {words} on deep sea mining", tools={}))
    assert len(answer.replace("deep sea mining", "subject").split()) > said / 2
    assert len(answer.split()) == said
    assert "deep sea mining" in answer


def test_a_summary_keeps_the_leading_words_of_a_text() -> None:
    assert answer_of(play("Summarise in 3 words: one two three four", tools={})) == "In short: one two three"
    assert len(answer_of(play("Summarize tea", tools={})).split()) == 50


def test_other_prompts_get_answers_of_their_own() -> None:
    hello, bye = answer_of(play("hello", tools={})), answer_of(play("bye", tools={}))
    assert "hello" in hello
    assert re.sub("hello", "bye", hello) != bye


def test_the_same_conversation_gets_the_same_answer() -> None:
    assert play(BROKEN, tools=DESK) == play(BROKEN, tools=DESK)


def test_a_new_request_in_the_same_conversation_begins_anew() -> None:
    first = play(BROKEN, tools=DESK)
    second = play(*first, "And I want to return it.", tools=DESK)[len(first) + 1 :]
    assert turns_of(second) == [["look_up_customer", "look_up_order"], ["start_return"]]


def test_directives_run_one_a_turn_and_end_with_what_came_of_them() -> None:
    told = play(
        'Go. [[call search {"query": "a [[b]]"}]] [[parallel look_up_order {"order_id": "A-1"} search {}]] [[unknown]]',
        tools={"search": '"yes"', "look_up_order": TEAPOT},
    )
    assert turns_of(told) == [["search"], ["look_up_order", "search"], ["divine_the_future"]]
    assert calls_of(told)[0][0].arguments == {"query": "a [[b]]"}
    assert answer_of(told).startswith('Done. search gave: yes look_up_order gave: {"id": "A-1001"')
    ids = [call.id for turn in calls_of(told) for call in turn]
    assert len(set(ids)) == 4
    assert all(re.fullmatch("[A-Za-z0-9]{9}", id) for id in ids)


def test_a_loop_never_ends() -> None:
    told = play('[[call search {}]] [[loop search {"query": "a"}]]', tools={"search": "{}"}, turns=6)
    assert turns_of(told) == [["search"]] * 6
    assert {str(call.arguments) for turn in calls_of(told)[1:] for call in turn} == {"{'query': 'a'}"}


@pytest.mark.parametrize("kept", [True, False])
def test_an_empty_answer_comes_once(kept: bool) -> None:
    request = "[[empty]] [[say well then]]"
    empty = perform(prompt_of(request))
    assert (empty.text, empty.calls, empty.usage.output_tokens) == ("", (), 0)
    answer = [AssistantMessage(provider="scripted", parts=(TextPart(text=""),))] if kept else []
    assert perform(prompt_of(request, *answer, "Your last answer was empty.")).text == "well then"


@pytest.mark.parametrize("bridge", [True, False])
def test_an_empty_answer_after_a_tool_comes_once_too(bridge: bool) -> None:
    request = "[[call search {}]] [[empty]] [[say well then]]"
    call = perform(prompt_of(request)).calls[0]
    said: list[ConversationMessage] = [
        AssistantMessage(provider="scripted", parts=(call,)),
        ToolMessage(call_id=call.id, tool="a", content="{}"),
    ]
    assert perform(prompt_of(request, *said)).text == ""
    between = [AssistantMessage(provider="mistral", parts=(TextPart(text="OK"),))] if bridge else []
    assert perform(prompt_of(request, *said, *between, "Your last answer was empty.")).text == "well then"


def test_arguments_can_be_malformed() -> None:
    performance = perform(prompt_of("[[malformed search]]"))
    [call] = performance.calls
    assert performance.finish is Finish.MALFORMED_CALL
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(call.malformed or "{}")


def test_tokens_are_a_fourth_of_the_bytes() -> None:
    usage = perform(prompt_of("[[say häuser]]")).usage
    assert usage.input_tokens == -(-len("[[say häuser]]".encode()) // 4)
    assert usage.output_tokens == 2


def test_thinking_and_cached_tokens_are_counted_when_asked_for() -> None:
    plain, thinking = perform(prompt_of("hello")), perform(prompt_of("[[think]] [[cached]] hello"))
    assert (plain.usage.thinking_tokens, plain.usage.cached_tokens) == (0, 0)
    assert thinking.usage.thinking_tokens > 0
    assert thinking.usage.output_tokens > thinking.usage.thinking_tokens
    assert 0 < thinking.usage.cached_tokens < thinking.usage.input_tokens
    assert "[[" not in thinking.text


@pytest.mark.parametrize(
    "request_text",
    ["report of 500 words on tea", "[[think]] report of 500 words on tea", '[[call search {"query": 1}]]'],
)
def test_the_output_cap_holds_for_words_thoughts_and_calls(request_text: str) -> None:
    performance = perform(prompt_of(request_text, cap=2))
    assert performance.finish is Finish.LENGTH
    assert performance.usage.output_tokens <= 2
    assert not performance.calls


def test_a_call_without_an_outcome_does_not_stop_the_script() -> None:
    call = CallPart(id="aaaaaaaaa", tool="search", arguments={})
    assert perform(prompt_of("[[call search {}]]", AssistantMessage(provider="scripted", parts=(call,)))).text
