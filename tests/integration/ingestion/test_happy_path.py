"""An object in the bucket becomes a document that can be searched."""

from tests.integration.ingestion.pipeline import Pipeline


def test_a_dropped_file_becomes_ready(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("notes/first day.txt", "One line.\nAnother line.")
    # When
    pipeline.run()
    # Then
    pipeline.assert_ready(["One line.", "Another line."])
    document = pipeline.document()
    assert document["name"] == "notes/first day.txt"
    assert document["source"] == "s3"
    assert document["sha256"] is not None
    assert (document["page_count"], document["token_count"], document["size"]) == (1, 4, 23)
    assert document["ready_at"] is not None
    assert document["deadline_at"] is None
