"""What a bot reads on the web, from the command line."""

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


def test_a_site_is_added_shown_changed_and_deleted(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")

    added = cli(
        "sources", "add", "https://example.com/", "--kind", "crawl", "--max-pages", "9", "--every", "60", "--json"
    )
    body = {"kind": "crawl", "url": "https://example.com/", "max_pages": 9, "resync_minutes": 60}
    assert known.state.requests[-1].body == body

    source_id = added.json["source"]["id"]
    assert cli("sources", "show", "https://example.com", "--json").json["id"] == source_id
    assert cli("sources", "list", "--json").json["data"][0]["id"] == source_id

    assert cli("sources", "change", source_id, "--every", "0").code == 0
    assert known.state.requests[-1].body == {"resync_minutes": None}

    assert cli("sources", "sync", source_id).code == 0
    assert known.state.sources[source_id]["status"] == "syncing"

    shown = cli("sources", "pages", source_id, "--status", "failed")
    assert ("url_failed" in shown.out, known.state.requests[-1].query["status"]) == (True, "failed")

    assert cli("sources", "delete", source_id).code == 2
    assert cli("sources", "delete", source_id, "--yes").code == 0
    assert known.state.sources == {}


def test_a_source_that_is_not_clear_is_a_usage_error(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")

    result = cli("sources", "show", "https://example.com/", "--json")

    assert (result.code, "no_such_source" in result.out + result.err) == (2, True)


def test_a_page_is_added_as_a_document(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")

    assert cli("docs", "add", "https://example.com/a", "--json").json["document"]["name"] == "example.com/a"
    cli("docs", "add", "https://example.com/a", "--name", "a.html")
    assert known.state.requests[-1].body == {"url": "https://example.com/a", "name": "a.html"}
