"""Errors of one cause are one group, whatever of somebody's text their messages hold."""

import psycopg
import pytest

from tests.postgres import DatabaseUrls

GROUPS = """
    SELECT count(DISTINCT app.error_fingerprint('ingestion', 'code', replace(%s, '{}', n || chr(97 + n %% 26))))
    FROM generate_series(1, 2000) n
"""


@pytest.mark.parametrize(
    "message",
    [
        'Page 7 of "{}.pdf" took 3 s',
        "It's page 7 of '{}.pdf' that can't be read",
        "Nothing came from https://example.com/{}?user={}",
        "The mail to {}@example.com was refused",
        "No room for /srv/files/{}/report.pdf",
        "Document 01a20462-e13e-70e1-bbf7-57b940d0d517 has ‘{}’ twice",
    ],
)
def test_messages_that_differ_in_what_people_wrote_are_one_group(database_urls: DatabaseUrls, message: str) -> None:
    with psycopg.connect(database_urls.admin) as connection:
        assert connection.execute(GROUPS, (message,)).fetchone() == (1,)


def test_messages_of_two_causes_are_two_groups_and_their_pattern_says_which(database_urls: DatabaseUrls) -> None:
    said = ("Ada's page isn't there: /a/b, see http://h.example/x", "Ada's page isn't whole: /a/b")
    with psycopg.connect(database_urls.admin) as connection:
        patterns = [connection.execute("SELECT app.error_pattern(%s)", (each,)).fetchone() for each in said]
    assert patterns == [("ada's page isn't there: <path>, see <url>",), ("ada's page isn't whole: <path>",)]
