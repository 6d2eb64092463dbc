"""Stop sequences: what is told of an answer in which one stands, however it comes in pieces."""

import pytest

from chatsphere.chat.openai.stopping import StoppingModel
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd, AnswerEvent, AnswerRequest
from tests.fakes_chat import ScriptedModel, Step, says

REQUEST = AnswerRequest(question="What?", passages=[])


def told(script: list[Step], *sequences: str) -> list[AnswerEvent]:
    return list(StoppingModel(ScriptedModel(script), sequences).stream(REQUEST))


def text_of(events: list[AnswerEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, AnswerDelta))


@pytest.mark.parametrize(
    ("pieces", "sequences", "expected"),
    [
        (["one STOP two"], ["STOP"], "one "),
        (["one S", "TO", "P two"], ["STOP"], "one "),
        (["one ST", "ART two"], ["STOP"], "one START two"),
        (["one ST"], ["STOP"], "one ST"),
        (["a\n\nb"], ["\n\n"], "a"),
        (["STOP"], ["STOP"], ""),
        (["ababac"], ["abac"], "ab"),
        (["x END y STOP"], ["STOP", "END"], "x "),
        (["nothing of it"], ["STOP"], "nothing of it"),
    ],
)
def test_an_answer_ends_before_the_first_sequence(pieces: list[str], sequences: list[str], expected: str) -> None:
    for cut in (pieces, list("".join(pieces))):
        assert text_of(told(says(*cut), *sequences)) == expected


def test_a_call_that_was_ended_says_about_what_it_took() -> None:
    model = ScriptedModel(says("one two STOP three"))
    end = list(StoppingModel(model, ["STOP"]).stream(REQUEST))[-1]
    assert isinstance(end, AnswerEnd)
    assert (end.finish_reason, end.completion_tokens) == ("stop", 2)
    assert end.prompt_tokens > 0
    assert model.closed == 1


def test_a_claim_comes_when_all_that_it_is_about_was_told() -> None:
    claim = AnswerCitation(1, "one S", 0, 5)
    events = told([AnswerDelta("one S"), claim, AnswerDelta("o two"), AnswerEnd("stop", 1, 1, 0)], "STOP")
    assert events == [AnswerDelta("one "), AnswerDelta("So two"), claim, AnswerEnd("stop", 1, 1, 0)]
    whole = told([AnswerDelta("one S"), claim, AnswerEnd("length", 1, 1, 0)], "STOP")
    assert whole == [AnswerDelta("one "), AnswerDelta("S"), claim, AnswerEnd("length", 1, 1, 0)]
