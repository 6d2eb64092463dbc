"""Sets in BEIR's form."""

import json
from pathlib import Path

import pytest

from chatsphere.cli.errors import UsageError
from chatsphere.cli.evaluation.dataset import Passage, read


def write(folder: Path, corpus: str, queries: str, qrels: str) -> Path:
    (folder / "corpus.jsonl").write_text(corpus)
    (folder / "queries.jsonl").write_text(queries)
    (folder / "qrels.tsv").write_text(qrels)
    return folder


def test_beirs_own_field_names_and_header(tmp_path: Path) -> None:
    corpus = json.dumps({"_id": "d", "title": "T", "text": "x"})
    folder = write(tmp_path, corpus, '{"_id": "q", "text": "?"}\n\n', "query-id\tcorpus-id\tscore\nq\td\t2\nq\te\t-1\n")

    dataset = read(folder)

    assert dataset.passages == [Passage("d", "T\n\nx")]
    assert dataset.questions[0].grades == {"d": 2, "e": -1}


@pytest.mark.parametrize(
    ("corpus", "queries", "qrels", "message"),
    [
        ("{", '{"id": "q", "text": "?"}', "q\td\t1", r"corpus\.jsonl, line 1"),
        ('{"id": "d"}', '{"id": "q", "text": "?"}', "q\td\t1", r"corpus\.jsonl, line 1"),
        ('{"id": "d", "text": "x"}', '{"id": "q", "text": "?"}', "q\td\t1\nq d 1", r"qrels\.tsv, line 2"),
        ('{"id": "d", "text": "x"}', '{"id": "q", "text": "?"}', "q\td\t0", "no query"),
    ],
)
def test_what_is_not_in_the_form_is_named(tmp_path: Path, corpus: str, queries: str, qrels: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(write(tmp_path, corpus, queries, qrels))


@pytest.mark.parametrize(
    ("passage_id", "name"),
    [("d1", "d1"), ("../etc/passwd", "%2E%2E%2Fetc%2Fpasswd"), ("a b", "a%20b"), ("é", "%C3%A9"), ("x.pdf", "x%2Epdf")],
)
def test_ids_become_names_without_a_meaning(passage_id: str, name: str) -> None:
    assert Passage(passage_id, "").name == name


def test_long_ids_stay_apart() -> None:
    first, second = Passage("é" * 200 + "1", "").name, Passage("é" * 200 + "2", "").name
    assert first != second
    assert len(first) == 64
