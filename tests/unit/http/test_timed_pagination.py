"""Cursors of lists that are in the order of a time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chatsphere.errors import InvalidRequestError
from chatsphere.http.timed_pagination import Place, decode_place, encode_place, timed_page

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("key", [str(UUID(int=7)), "ada", "ä/ö 料金", "x"])
def test_a_cursor_leads_back_to_its_place(key: str) -> None:
    assert decode_place(encode_place(Place(NOW, key))) == Place(NOW, key)
    assert decode_place(None) is None


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "_" * 20, "ä", "A" * 11, "AAAAAAAAAP8"])
def test_what_chatsphere_did_not_make_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequestError):
        decode_place(cursor)


def test_a_key_that_is_no_id_is_refused_where_one_is_needed() -> None:
    with pytest.raises(InvalidRequestError):
        _ = Place(NOW, "ada").id


def test_the_row_too_many_only_tells_that_there_are_more() -> None:
    rows = [NOW - timedelta(seconds=n) for n in range(3)]
    page = timed_page(rows, 2, lambda row: Place(row, "x"))
    assert (page.data, page.has_more, decode_place(page.next_cursor)) == (rows[:2], True, Place(rows[1], "x"))
    assert timed_page(rows, 3, lambda row: Place(row, "x")).next_cursor is None
