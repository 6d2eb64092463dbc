"""Snippets of found messages."""

from chatsphere.chat.message_search.highlights import SNIPPET_CHARS, candidates, snippet_of


def shown(text: str, query: str, matching: set[str]) -> list[str]:
    snippet = snippet_of(text, query, matching)
    assert text[snippet.start : snippet.start + len(snippet.text)] == snippet.text
    return [snippet.text[start:end] for start, end in snippet.highlights]


def test_only_words_that_begin_alike_are_asked_about() -> None:
    assert candidates(["Costs, the Café; ÜBER"], "cost über") == {"Costs", "Café", "ÜBER"}
    assert candidates(["Costs"], "…") == set()


def test_the_matching_words_are_marked_where_they_stand() -> None:
    assert shown("It costs 49 EUR; costs vary.", "cost", {"costs"}) == ["costs", "costs"]
    assert shown("東京の料金は", "料金", set()) == ["料金"]


def test_a_long_message_is_shown_where_most_of_the_words_are() -> None:
    text = "falcon " + "filler " * 200 + "the falcon plan costs much " + "filler " * 200
    snippet = snippet_of(text, "falcon costs", {"falcon", "costs"})
    assert shown(text, "falcon costs", {"falcon", "costs"}) == ["falcon", "costs"]
    assert snippet.start > 1000
    assert len(snippet.text) <= SNIPPET_CHARS
    # Cut between words.
    assert text[snippet.start - 1] == " "
    assert text[snippet.start + len(snippet.text)] == " "


def test_a_message_of_nothing_but_matching_words_is_marked_as_any_other() -> None:
    marked = shown("a " * 10_000, "a", {"a"})
    assert marked == ["a"] * len(marked)
    assert len(marked) > SNIPPET_CHARS // 2 - 2
    assert set(shown("料" * 20_000, "料 " * 4000, set())) == {"料"}


def test_without_a_marked_word_it_is_the_beginning() -> None:
    snippet = snippet_of("word " * 100, "music", set())
    assert (snippet.start, snippet.highlights, len(snippet.text) <= SNIPPET_CHARS) == (0, (), True)
    assert snippet_of("", "x", set()).text == ""
