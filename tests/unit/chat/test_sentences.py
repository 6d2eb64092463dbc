import pytest

from chatsphere.adapters.extractive.sentences import MAX_SENTENCE_CHARS, split_sentences


def sentences(text: str) -> list[str]:
    return [text[s.start : s.end] for s in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("Dr. Smith et al. met Mr. J. R. Jones.", ["Dr. Smith et al. met Mr. J. R. Jones."]),
        ("It costs 3.5 million. It rose 2.1%.", ["It costs 3.5 million.", "It rose 2.1%."]),
        (
            "See e.g. Chapter 2, i.e. Fig. 3 and No. 4. Then stop.",
            ["See e.g. Chapter 2, i.e. Fig. 3 and No. 4.", "Then stop."],
        ),
        ("The answer is no. He left.", ["The answer is no.", "He left."]),
        ("The U.S. Army came. It won.", ["The U.S. Army came.", "It won."]),
        ("It opens at 9 a.m. on Monday. It closes late.", ["It opens at 9 a.m. on Monday.", "It closes late."]),
        ("1. Do this. 2. Do that.", ["1. Do this.", "2. Do that."]),
        ("これは文です。次の文！「終わり。」はい", ["これは文です。", "次の文！", "「終わり。」", "はい"]),
        ("هل هذا سؤال؟ نعم.", ["هل هذا سؤال؟", "نعم."]),
        ("- apples\n- pears. Sweet.\n- figs", ["- apples", "- pears.", "Sweet.", "- figs"]),
        ("Plan | Price\nFalcon | 49 EUR\nEagle | 99. Net.", ["Plan | Price", "Falcon | 49 EUR", "Eagle | 99. Net."]),
        ("Plan: Basic\nPrice: 10", ["Plan: Basic", "Price: 10"]),
        ("Am 3. Mai 2024 begann es. Dann nicht.", ["Am 3. Mai 2024 begann es.", "Dann nicht."]),
        ("3. Mai 2024 war ein Freitag. Es regnete.", ["3. Mai 2024 war ein Freitag.", "Es regnete."]),
        ("Das gilt z. B. Montags, d. h. selten. Sonst nie.", ["Das gilt z. B. Montags, d. h. selten.", "Sonst nie."]),
        ("Im 19. Jahrhundert, bzw. der 2. Auflage. Ende.", ["Im 19. Jahrhundert, bzw. der 2. Auflage.", "Ende."]),
        ("Demandez à M. Dupont, p. ex. demain. Merci.", ["Demandez à M. Dupont, p. ex. demain.", "Merci."]),
        ("El Sr. Ruiz llegó. Se fue.", ["El Sr. Ruiz llegó.", "Se fue."]),
        ("There are 3. The rest left in 2024. Then none.", ["There are 3.", "The rest left in 2024.", "Then none."]),
        ("Heading\n\nText of it. More.", ["Heading", "Text of it.", "More."]),
        ("  \n\n ", []),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_line_that_was_only_wrapped_is_no_end() -> None:
    text = "This is a long line of a file that was wrapped at some\ncolumn and goes on. Next one."
    assert sentences(text) == [text[: text.index(" Next")], "Next one."]


def test_what_never_ends_is_cut_at_white_space_and_nothing_is_lost() -> None:
    text = "word " * 500
    parts = sentences(text)
    assert max(map(len, parts)) <= MAX_SENTENCE_CHARS
    assert " ".join(parts) == text.strip()


def test_headings_and_table_rows_are_known_as_such() -> None:
    text = "# Prices\n\nPlan | Price\nFalcon | 49\n\nIt is cheap."
    heading, header, row, sentence = split_sentences(text)
    assert (heading.heading, header.row, row.row) == (True, True, True)
    assert (sentence.heading, sentence.row) == (False, False)
    assert header.block == row.block != sentence.block


def test_splitting_is_linear_in_the_text() -> None:
    # A quadratic splitter would take minutes for these.
    for text in ("a. " * 20_000, "." * 50_000, "\n" * 50_000, "x | " * 20_000, "(" * 50_000):
        split_sentences(text)
