"""JSON, JSON Lines, CSV and TSV."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsphere.errors import CorruptDocumentError, EmptyDocumentError, ExtractionLimitError
from chatsphere.knowledge.extraction import json_records
from chatsphere.knowledge.text import BlockKind
from tests.unit.extraction.reading import extract, parse, texts

SHOP = {
    "name": "Shop",
    "address": {"city": "Bern", "zip": "3000"},
    "products": [
        {"sku": "A1", "price": 1.1, "tags": ["x", "y"], "sizes": [{"n": 1}, {"n": 2}]},
        {"sku": "B2", "price": None, "sold": True},
    ],
    "ids": [1, 2],
}


def test_records_are_kept_together_under_their_key(tmp_path: Path) -> None:
    blocks = parse("json_records", tmp_path, json.dumps(SHOP))

    assert texts(blocks) == [
        "name: Shop\naddress.city: Bern\naddress.zip: 3000\nids: 1, 2",
        "products",
        "sku: A1\nprice: 1.1\ntags: x, y\nsizes[0].n: 1\nsizes[1].n: 2",
        "sku: B2\nprice: null\nsold: true",
    ]
    assert blocks[1].kind is BlockKind.HEADING
    assert blocks[3].heading_path == ("products",)


def test_a_large_file_is_read_member_by_member_to_the_same_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = parse("json_records", tmp_path, json.dumps(SHOP))
    monkeypatch.setattr(json_records, "_LARGE_CHARS", 0)

    streamed = parse("json_records", tmp_path, json.dumps(SHOP, indent=2))

    assert texts(whole)[2:] == [text for text in texts(streamed) if text.startswith("sku")]
    assert streamed[-1].text == "name: Shop"


@pytest.mark.parametrize("source", ['{"a": 1}\n{"a": 2}\n', '{"a": 1}{"a": 2}', '\x1e{"a": 1}\n\x1e{"a": 2}\n'])
def test_json_lines(source: str, tmp_path: Path) -> None:
    assert texts(parse("json_records", tmp_path, source)) == ["a: 1", "a: 2"]


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    (block,) = parse("json_records", tmp_path, '{"a": 1.10, "b": 1e999, "c": ' + "9" * 10_000 + ', "d": NaN}')

    assert block.text.startswith("a: 1.10\nb: 1e999\nc: 999")
    assert block.text.endswith("\nd: NaN")


@pytest.mark.parametrize("source", ['"just text"', "[1, 2]", "true", '{"": "x"}', "[[1], [2, [3]]]"])
def test_any_value_is_text(source: str, tmp_path: Path) -> None:
    assert parse("json_records", tmp_path, source)


@pytest.mark.parametrize(
    "source", ["{", '{"a" 1}', "[1,]", "{'a': 1}", "nothing", '{"a": 1},{"a": 2}', '["\\ud800', "1 2 x"]
)
@pytest.mark.parametrize("large", [0, 10**6])
def test_what_is_no_json_is_corrupt(source: str, large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "_LARGE_CHARS", large)
    with pytest.raises(CorruptDocumentError):
        parse("json_records", tmp_path, source)


def test_lone_surrogates_and_nul_are_removed(tmp_path: Path) -> None:
    (block,) = extract(tmp_path, "a.json", '{"a": "x\\ud800\\u0000y"}')

    assert block.text == "a: xy"


def test_deep_nesting_is_a_limit(tmp_path: Path) -> None:
    with pytest.raises(ExtractionLimitError):
        extract(tmp_path, "a.json", "[" * 100_000)


def test_an_empty_object_is_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptyDocumentError):
        extract(tmp_path, "a.json", "{}")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(value=_json, marker=st.uuids())
def test_no_value_is_lost(tmp_path: Path, value: object, marker: object) -> None:
    text = "\n".join(texts(parse("json_records", tmp_path, json.dumps([value, {"k": [value, str(marker)]}]))))

    assert str(marker) in text


def test_rows_name_their_columns(tmp_path: Path) -> None:
    (block,) = parse("csv_rows", tmp_path, 'name,age,city\r\nAnna,30,"Bern,\nCH"\r\nBerta,,Basel\r\n')

    assert block.kind is BlockKind.TABLE
    assert block.text == "name: Anna; age: 30; city: Bern, CH\nname: Berta; city: Basel"


def test_a_block_names_its_rows_as_a_spreadsheet_numbers_them(tmp_path: Path) -> None:
    (block,) = parse("csv_rows", tmp_path, "name,age\n\nAnna,30\nBerta,31\n")

    assert (block.heading_path, block.text) == (("Rows 3-4",), "name: Anna; age: 30\nname: Berta; age: 31")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str, tmp_path: Path) -> None:
    rows = [("id", "text"), ("1", "one, two; three"), ("2", "a | b"), ("3", "plain")]
    source = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)

    assert texts(parse("csv_rows", tmp_path, source)) == [
        "id: 1; text: one, two; three\nid: 2; text: a | b\nid: 3; text: plain"
    ]


def test_semicolons_with_decimal_commas(tmp_path: Path) -> None:
    assert texts(parse("csv_rows", tmp_path, "item;price\ntea;2,50\nmilk;1,20\n")) == [
        "item: tea; price: 2,50\nitem: milk; price: 1,20"
    ]


def test_excels_separator_line(tmp_path: Path) -> None:
    assert texts(parse("csv_rows", tmp_path, "sep=;\na;b\nx;y\n")) == ["a: x; b: y"]


def test_without_a_header_cells_stand_side_by_side(tmp_path: Path) -> None:
    assert texts(parse("csv_rows", tmp_path, "1,Anna\n2,Berta\n")) == ["1 | Anna\n2 | Berta"]


def test_one_column(tmp_path: Path) -> None:
    assert texts(parse("csv_rows", tmp_path, "word\nother\n")) == ["word\nother"]


def test_shift_jis(tmp_path: Path) -> None:
    data = "名前,年齢\n佐藤太郎,30\n".encode("cp932")

    assert texts(extract(tmp_path, "a.csv", data)) == ["名前: 佐藤太郎; 年齢: 30"]


def test_more_cells_than_names_are_kept(tmp_path: Path) -> None:
    assert texts(parse("csv_rows", tmp_path, "a,b\n1,2\n3,4\n5,6,extra\n"))[0].endswith("a: 5; b: 6; extra")


def test_a_quote_that_is_never_closed_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(CorruptDocumentError):
        parse("csv_rows", tmp_path, 'a,b\n1,"' + "x,y\n" * 400_000)


def test_a_large_table_comes_in_blocks_of_whole_rows(tmp_path: Path) -> None:
    source = "id,text\n" + "".join(f"{number},row {number}\n" for number in range(2000))

    blocks = parse("csv_rows", tmp_path, source)

    assert len(blocks) > 1
    lines = [line for block in blocks for line in block.text.split("\n")]
    assert lines == [f"id: {number}; text: row {number}" for number in range(2000)]
