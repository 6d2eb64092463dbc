"""Keys of the uploads bucket."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsphere.knowledge.ingestion.errors import InvalidNameError
from chatsphere.knowledge.ingestion.object_keys import ObjectKey, prefix

ORGANIZATION, BOT = UUID("01970000-0000-7000-8000-00000000000a"), UUID("01970000-0000-7000-8000-00000000000b")


@pytest.mark.parametrize(
    "name",
    ["a.txt", "folder/a b.pdf", "Übersicht 2024 (final).docx", "名前.md", "e\u0301.txt", "..a", "a/...", "/a", " a"],
)
def test_a_name_is_kept_exactly_as_given(name: str) -> None:
    key = ObjectKey.parse(f"{ORGANIZATION}/{BOT}/{name}")
    assert key == ObjectKey(ORGANIZATION, BOT, name)
    assert str(key) == prefix(ORGANIZATION, BOT) + name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "/",
        "folder/",
        "../a",
        "a/../b",
        "a/..",
        "..",
        "a\nb",
        "a\x00b",
        "\x7f",
        "\ud800",
        "x" * 1000,
        "ä" * 500,
    ],
)
def test_a_name_that_could_mislead_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError) as refused:
        ObjectKey(ORGANIZATION, BOT, name).check()
    assert refused.value.status == 422
    assert [field.pointer for field in refused.value.errors] == ["name"]


def test_a_name_that_a_form_would_replace_is_refused() -> None:
    with pytest.raises(InvalidNameError):
        ObjectKey(ORGANIZATION, BOT, "reports/${filename}").check()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a.txt",
        f"{ORGANIZATION}",
        f"{ORGANIZATION}/{BOT}",
        f"{ORGANIZATION}/nobody/a.txt",
        f"nobody/{BOT}/a.txt",
        f"/{ORGANIZATION}/{BOT}/a.txt",
        f"{str(ORGANIZATION).upper()}/{BOT}/a.txt",
        f"{ORGANIZATION.hex}/{BOT}/a.txt",
        f"{{{ORGANIZATION}}}/{BOT}/a.txt",
    ],
)
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(InvalidNameError):
        ObjectKey.parse(key)


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(rest: str) -> None:
    try:
        key = ObjectKey.parse(f"{ORGANIZATION}/{BOT}/{rest}")
    except InvalidNameError:
        return
    assert key.bot_id == UUID(str(BOT))
    assert str(key).endswith(rest)
