"""Files that nobody should have made: each is refused with a word, and leaves nothing."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from chatsphere.bots.model import BotDraft
from chatsphere.transfers import checking, limits, reading
from chatsphere.transfers.format import BOT, DOCUMENTS, EVALUATION_SETS, MANIFEST, VERSIONS, BotContent
from tests.integration.transfers.moving import Moving, changed, members, packed, resealed

CHUNKS, VECTORS, ORIGINAL = (f"documents/000000/{name}" for name in ("chunks.jsonl", "vectors.f32", "original"))


@pytest.fixture(scope="module")
def written() -> dict[str, bytes]:
    """The file, once it is written: it names nobody, so that every test may have the same."""
    return {}


@pytest.fixture
def file(moving: Moving, written: dict[str, bytes]) -> bytes:
    """A small bot's file."""
    if "file" not in written:
        written["file"] = _file(moving)
    return written["file"]


def _file(moving: Moving) -> bytes:
    for name in ("a.txt", "b.txt"):
        moving.source.drop(name, f"What {name} says.\nAnd what it says then.")
    moving.source.run()
    return moving.file_of(moving.export())


def edit(name: str, change: Callable[[Any], Any]) -> dict[str, Callable[[bytes], bytes]]:
    """Change the first line of a member of JSON."""

    def rewrite(held: bytes) -> bytes:
        first, _, rest = held.partition(b"\n")
        value = json.loads(first)
        change(value)
        return json.dumps(value).encode() + (b"\n" + rest if _ else b"")

    return {name: rewrite}


def key_is(key: str) -> dict[str, Callable[[bytes], bytes]]:
    return edit(DOCUMENTS, lambda line: line.update(key=key))


def chunk(**fields: Any) -> dict[str, Callable[[bytes], bytes]]:
    return edit(CHUNKS, lambda line: line.update(fields))


def floats(*values: float) -> dict[str, Callable[[bytes], bytes]]:
    return {VECTORS: lambda held: struct.pack(f"<{len(values)}f", *values) + held[4 * len(values) :]}


def version(number: int, created_at: str = "2026-01-01T00:00:00Z") -> bytes:
    content = BotDraft("Former")
    fields = {name: getattr(content, name) for name in BotContent.model_fields if name != "configuration"}
    line = {"version": number, "restored_from": None, "created_at": created_at}
    return json.dumps(line | {"content": fields | {"configuration": {}}}).encode() + b"\n"


RESEALED = {
    "a path out of the bot": (key_is("../../etc/passwd"), "invalid_file"),
    "a name with a control character": (key_is("a\nb"), "invalid_file"),
    "a shown name with a line's end": (edit(DOCUMENTS, lambda line: line.update(name="a\nb")), "invalid_file"),
    "a name that is too long": (key_is("x" * 1025), "invalid_file"),
    "two documents of one name": (key_is("b.txt"), "invalid_file"),
    "a text that cannot be stored": (chunk(content="a\0b"), "invalid_file"),
    "a lone surrogate": ({CHUNKS: lambda held: held.replace(b"What", rb"\ud800", 1)}, "invalid_file"),
    "an empty passage": (chunk(content=""), "invalid_file"),
    "a passage that ends before it begins": (chunk(char_start=9, char_end=3), "invalid_file"),
    "a number that is none": (chunk(token_count="many"), "invalid_file"),
    "a field that is not known": (chunk(organization_id="x"), "invalid_file"),
    "a passage too few": ({CHUNKS: lambda held: held.partition(b"\n")[2]}, "invalid_file"),
    "a passage too many": ({CHUNKS: lambda held: held + held}, "file_too_large"),
    "a line without an end": ({CHUNKS: lambda held: held[:-1]}, "invalid_file"),
    "a line that is too long": ({CHUNKS: lambda _: b'"' + b"x" * (limits.MAX_LINE_BYTES + 1)}, "file_too_large"),
    "no JSON": ({CHUNKS: lambda _: b"{\n{\n"}, "invalid_file"),
    "JSON without end": ({CHUNKS: lambda _: b"[" * 500_000 + b"\n"}, "invalid_file"),
    "NaN in a vector": (floats(float("nan")), "invalid_file"),
    "infinity in a vector": (floats(float("inf")), "invalid_file"),
    "a vector of zeros": (floats(*[0.0] * 16), "invalid_file"),
    "vectors that are too short": ({VECTORS: lambda held: held[:-4]}, "invalid_file"),
    "vectors of another model": ({VECTORS: lambda held: held[64:] + held[:64]}, "vectors_differ"),
    "the last version that there can be": (edit(BOT, lambda bot: bot.update(version=2**31 - 1)), "invalid_file"),
    "a version of before all time": ({VERSIONS: lambda _: version(1, "0001-01-01T00:00:00+14:00")}, "invalid_file"),
    "a version of the future": (edit(BOT, lambda bot: bot.update(version=2**40)), "invalid_file"),
    "settings out of bounds": (edit(BOT, lambda bot: bot.update(temperature=9)), "invalid_file"),
    "versions out of order": ({VERSIONS: lambda _: version(1) + version(1)}, "invalid_file"),
    "a version after the present one": ({VERSIONS: lambda _: version(2)}, "invalid_file"),
    "a case of no set": (
        {EVALUATION_SETS: lambda _: json.dumps({"case": {
            "question": "q", "history": [], "expected_answers": [], "relevant_documents": [],
            "expect_refusal": True, "needs_review": False}}).encode() + b"\n"},
        "invalid_file",
    ),
    "metadata too large": (edit(DOCUMENTS, lambda line: line.update(metadata={"a": "x" * 4000})), "invalid_file"),
    "a type of two headers": (edit(DOCUMENTS, lambda line: line.update(content_type="a/b\r\nx: y")), "invalid_file"),
    "a link that runs": (edit(DOCUMENTS, lambda line: line.update(url="javascript:alert(1)//x.y")), "invalid_file"),
    "a large original": ({ORIGINAL: lambda _: b"x" * 10_001}, "file_too_large"),
}  # fmt: skip


@pytest.mark.parametrize("case", RESEALED)
def test_a_file_whose_checksums_fit_is_looked_into_all_the_same(moving: Moving, file: bytes, case: str) -> None:
    changes, code = RESEALED[case]
    assert_refused(moving, changed(file, changes), code)


def replaced(file: bytes, **content: bytes) -> bytes:
    return packed(members(file) | content)


def test_a_member_that_was_changed_is_noticed(moving: Moving, file: bytes) -> None:
    for name in (CHUNKS, VECTORS, ORIGINAL, DOCUMENTS, VERSIONS, BOT):
        held = members(file)[name]
        assert_refused(moving, replaced(file, **{name: held[:-2] + b" " + held[-1:]}), "invalid_file")


def test_a_file_of_a_later_release_is_refused_in_words(moving: Moving, file: bytes) -> None:
    head = json.loads(members(file)[MANIFEST]) | {"version": 2, "what_comes_then": True}
    assert_refused(moving, replaced(file, **{MANIFEST: json.dumps(head).encode()}), "unknown_format")


def test_what_is_no_file_of_ours_is_refused(moving: Moving, file: bytes) -> None:
    content = members(file)
    twice = io.BytesIO(file)
    with zipfile.ZipFile(twice, "a") as opened, pytest.warns(UserWarning, match="Duplicate name"):
        opened.writestr(BOT, b"{}")
    without = dict(content)
    del without[MANIFEST]
    for other in (b"", b"PK", b"not a zip" * 100, file[: len(file) // 2], packed({}), packed(without)):
        assert_refused(moving, other, "invalid_file")
    assert_refused(moving, twice.getvalue(), "invalid_file")
    assert_refused(moving, packed(content | {MANIFEST: b'{"format": "x", "version": 1}'}), "invalid_file")


def test_bombs_are_not_unpacked(moving: Moving, file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    # A megabyte of zeros where a bot's texts are to be
    monkeypatch.setattr(reading, "MAX_SMALL_MEMBER_BYTES", 100_000)
    content = resealed(members(file) | {CHUNKS: b"\0" * 1_000_000})
    assert_refused(moving, packed(content), "file_too_large")
    # A directory of the file as large as the file
    monkeypatch.setattr(reading, "MAX_MEMBERS", 5)
    assert_refused(moving, file, "file_too_large")


def test_too_many_passages_are_refused(moving: Moving, file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MAX_CHUNKS", 3)
    assert_refused(moving, file, "file_too_large")


@pytest.mark.parametrize(("feature", "allowed"), [("max_bots", 1), ("max_documents_per_bot", 1), ("max_bytes", 50)])
def test_what_the_plan_has_no_room_for_is_refused_before_anything_is_made(
    moving: Moving, file: bytes, feature: str, allowed: int
) -> None:
    # Given a plan that became smaller after the import was asked for
    message = moving.upload(file)
    with moving.limited(feature, allowed):
        # When
        moving.import_job.run(message)
    # Then
    refused = moving.imported(message)
    assert (refused.status, refused.error_code, refused.bot_id) == ("failed", "quota_exceeded", None)
    assert_nothing_is_left(moving)


def assert_refused(moving: Moving, file: bytes, code: str) -> None:
    refused = moving.take_in(file)
    assert (refused.status, refused.error_code) == ("failed", code), refused.error_message
    assert refused.error_message
    assert_nothing_is_left(moving)


def assert_nothing_is_left(moving: Moving) -> None:
    """Of what was uploaded, and of what was made of it."""
    moving.target.run()
    place = f"{moving.target.tenant.organization_id}/"
    assert moving.archive.count_versions(f"imports/{place}") == 0
    assert moving.target.objects.count_versions(place) == 0
    with moving.target.connection() as connection:
        bots = connection.execute("SELECT id FROM bots").fetchall()
    assert [row["id"] for row in bots] == [moving.target.tenant.bot_id]
