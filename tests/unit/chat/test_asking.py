"""Lists of messages as questions: which history is taken."""

from chatsphere.chat.openai.asking import MAX_HISTORY_CHARS, Said, asked_in, joined
from chatsphere.ports.answers import Turn


def said(*contents: tuple[str, str]) -> list[Said]:
    return [Said(role, content, f"body/messages/{place}") for place, (role, content) in enumerate(contents)]


def test_the_last_message_is_the_question_and_the_others_are_its_history() -> None:
    asked = asked_in(
        said(("user", "One?"), ("assistant", "1."), ("system", " Be brief. "), ("assistant", ""), ("user", "Two?")),
        "body/messages",
    )
    assert asked.question == "Two?"
    assert asked.history == (Turn("user", "One?"), Turn("assistant", "1."))
    assert asked.system == "Be brief."


def test_of_a_long_history_the_latest_turns_are_taken_whole() -> None:
    half = "x" * (MAX_HISTORY_CHARS // 2)
    asked = asked_in(said(("user", half), ("assistant", half), ("user", "now"), ("user", "?")), "body/messages")
    assert [len(turn.content) for turn in asked.history] == [len(half), 3]
    assert joined([Turn("user", half * 3)], [Turn("assistant", "a")]) == (Turn("assistant", "a"),)
