"""Sources and their documents through several synchronisations."""

import gzip
from collections.abc import Callable
from datetime import timedelta

import pytest

from chatsphere.errors import NotFoundError
from chatsphere.knowledge.ingestion.decisions import TYPE_DECIDES
from chatsphere.knowledge.web import hosts, reviving, submitting
from chatsphere.knowledge.web.errors import SourceBusyError, SourceExistsError, TooManySourcesError
from tests.builders.pdf import make_pdf
from tests.integration.billing.conftest import PutOnPlan
from tests.integration.ingestion.retraining import logged_errors
from tests.integration.web.harness import WebIngestion
from tests.loopback.web_site import Site, SitePage


def test_a_page_becomes_a_document(web: WebIngestion, site: Site) -> None:
    site.html("/plans", "The Pro plan costs ninety-nine dollars.")

    document, outcome = web.add_page("/plans")
    assert (outcome, document.status, document.stage, document.source) == ("created", "registered", "fetch", "url")
    web.ingest()

    assert web.documents() == {"/plans": "done"}
    assert web.pipeline.document()["url"] == site.url("/plans")
    assert any("ninety-nine" in chunk for chunk in web.pipeline.chunks())


def test_the_same_page_again_is_fetched_again_and_kept_if_it_is_the_same(web: WebIngestion, site: Site) -> None:
    site.html("/plans", "Ninety-nine dollars.")
    web.add_page("/plans")
    web.run()

    outcomes = [web.add_page("/plans")[1], web.add_page("/plans")[1]]
    web.run()

    assert outcomes == ["replaced", "unchanged"]
    assert site.asked("/plans") == 2
    assert site.requests[-1][1]["if-none-match"]
    assert web.pipeline.document()["generation"] == 1


def test_a_changed_page_replaces_its_document(web: WebIngestion, site: Site) -> None:
    site.html("/plans", "Ninety-nine dollars.")
    source = web.add("page", "/plans", resync_minutes=60)
    web.run()
    site.html("/plans", "A hundred and nine dollars.")

    web.reap()
    web.let_pass(3601)
    web.reap()
    web.ingest()

    assert any("hundred" in chunk for chunk in web.pipeline.chunks())
    assert web.pipeline.document()["generation"] == 2
    assert web.source(source.id).next_sync_at == web.pipeline.clock.now() + timedelta(minutes=60)


def test_bytes_tell_what_a_server_without_etags_does_not(web: WebIngestion, site: Site) -> None:
    site.html("/plans", "Ninety-nine dollars.", has_etag=False)
    source = web.add("page", "/plans")
    web.run()

    web.sources.sync(source.id)
    web.run()

    assert site.asked("/plans") == 2
    assert web.pipeline.document()["generation"] == 1


def test_a_page_that_is_not_there_says_so_on_its_document(web: WebIngestion) -> None:
    web.add_page("/nothing")
    web.run()

    document = web.pipeline.document()
    assert (document["status"], document["stage"], document["error_code"]) == ("failed", "fetch", "url_not_found")
    assert web.pipeline.bot_status() == "error"


def test_a_page_that_failed_can_be_sent_for_again(web: WebIngestion, site: Site) -> None:
    web.add_page("/late")
    web.run()
    site.html("/late", "Now it is there.")

    document, outcome = web.add_page("/late")
    web.run()

    assert (document.status, document.stage, outcome) == ("registered", "fetch", "replaced")
    assert web.names() == {"/late"}


def test_a_crawl_follows_links_within_its_bounds(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/a", "/b#part", "https://elsewhere.example/", "mailto:a@example.com", "/logo.png")
    site.html("/a", "Page A.", "/a/deep", "/")
    site.html("/b", "Page B.", "../../a")
    site.html("/a/deep", "Deep.", "/a/deeper")
    site.html("/a/deeper", "Too deep.")

    source = web.add("crawl", "/", max_depth=2)
    web.run()

    assert web.names() == {"/(index)", "/a", "/b", "/a/deep"}
    assert web.source(source.id).pages == {"fetched": 4}
    assert web.source(source.id).is_complete
    assert [path for path, _ in site.requests] == ["/robots.txt", "/", "/a", "/b", "/a/deep"]


def test_a_calendar_without_an_end_is_left_at_the_bound(web: WebIngestion, site: Site) -> None:
    def day(path: str) -> SitePage | None:
        if not path.startswith("/calendar?day="):
            return None
        number = int(path.rpartition("=")[2])
        links = "".join(f'<a href="/calendar?day={number + step}">next</a>' for step in (1, 2, 3))
        return SitePage(f"<p>Day {number}.</p>{links}".encode())

    site.generate = day
    source = web.add("crawl", "/calendar?day=1", max_pages=6, max_depth=20)
    web.run()

    assert len(web.names()) == 6
    assert not web.source(source.id).is_complete
    assert web.source(source.id).status == "synced"


def test_what_a_complete_synchronisation_does_not_find_is_removed(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/a", "/b")
    site.html("/a", "Page A.")
    site.html("/b", "Page B.")
    source = web.add("crawl", "/")
    web.ingest()

    site.html("/", "Home.", "/a")
    web.sources.sync(source.id)
    web.ingest()

    assert web.names() == {"/(index)", "/a"}
    assert "/b" not in web.pages(source.id)
    assert not any("Page B" in chunk for chunk in web.pipeline.chunks(live=False))


def test_an_unchanged_page_still_leads_to_its_links(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/a")
    site.html("/a", "Page A.", "/b")
    site.html("/b", "Page B.")
    source = web.add("crawl", "/")
    web.run()
    site.requests.clear()

    web.sources.sync(source.id)
    web.run()

    assert web.names() == {"/(index)", "/a", "/b"}
    assert [bool(headers.get("if-none-match")) for _, headers in site.requests] == [True, True, True]


def test_a_page_that_is_gone_loses_its_document(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/a", "/b")
    site.html("/a", "Page A.")
    site.html("/b", "Page B.")
    source = web.add("crawl", "/")
    web.run()

    site.pages["/b"] = SitePage(status=410)
    web.sources.sync(source.id)
    web.run()

    assert web.names() == {"/(index)", "/a"}
    assert web.statuses(source.id)["/b"] == "url_not_found"


def test_a_page_that_fails_keeps_its_document_and_removes_nothing(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/a", "/b")
    site.html("/a", "Page A.", "/c")
    site.html("/b", "Page B.")
    site.html("/c", "Page C, which only A links to.")
    source = web.add("crawl", "/")
    web.run()

    site.pages["/a"] = SitePage(status=500)
    web.sources.sync(source.id)
    web.run()

    assert web.names() == {"/(index)", "/a", "/b", "/c"}
    assert web.statuses(source.id)["/a"] == "url_failed"
    assert not web.source(source.id).is_complete
    assert site.asked("/a") == 1 + 3


def test_a_host_that_is_down_removes_nothing(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/a")
    site.html("/a", "Page A.")
    source = web.add("crawl", "/")
    web.run()

    site.pages = {path: SitePage(status=503) for path in ("/", "/a", "/robots.txt")}
    web.let_pass(2 * 3600)
    web.sources.sync(source.id)
    web.run()

    assert web.names() == {"/(index)", "/a"}
    assert (web.source(source.id).status, web.source(source.id).error_code) == ("failed", "robots_unreachable")


def test_a_root_that_is_gone_removes_no_site(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/a")
    site.html("/a", "Page A.")
    source = web.add("crawl", "/")
    web.run()

    del site.pages["/"]
    web.sources.sync(source.id)
    web.run()

    assert web.names() == {"/a"}
    assert (web.source(source.id).status, web.source(source.id).error_code) == ("failed", "url_not_found")
    assert logged_errors(web.pipeline, "sources") == ["url_not_found"]


def test_a_sitemap_and_the_sitemaps_in_it(web: WebIngestion, site: Site) -> None:
    site.sitemap("/sitemap.xml", site.url("/map1.xml"), site.url("/map2.xml.gz"), kind="sitemap")
    site.sitemap("/map1.xml", site.url("/a"), site.url("/b"), "https://elsewhere.example/x")
    site.sitemap("/map2.xml.gz", site.url("/c"))
    packed = gzip.compress(site.pages["/map2.xml.gz"].body)
    site.pages["/map2.xml.gz"] = SitePage(packed, content_type="application/x-gzip")
    for name in "abc":
        site.html(f"/{name}", f"Page {name}.", "/not-followed")

    source = web.add("sitemap", "/sitemap.xml")
    web.run()
    assert web.names() == {"/a", "/b", "/c"}

    site.sitemap("/map1.xml", site.url("/a"))
    web.sources.sync(source.id)
    web.run()
    assert web.names() == {"/a", "/c"}

    site.pages["/map1.xml"] = SitePage(status=404)
    web.sources.sync(source.id)
    web.run()
    assert web.names() == {"/a", "/c"}
    assert not web.source(source.id).is_complete


def test_what_is_no_sitemap_says_so(web: WebIngestion, site: Site) -> None:
    bomb = '<!DOCTYPE urlset [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
    site.pages["/sitemap.xml"] = SitePage(bomb.encode(), content_type="application/xml")

    source = web.add("sitemap", "/sitemap.xml")
    web.run()

    assert web.source(source.id).error_code == "invalid_sitemap"
    assert web.names() == set()


def test_files_are_documents_too_and_pictures_are_not(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/handbook.pdf", "/picture", "/notes.txt", "/README.md")
    site.html("/README.md", "About the file.")
    site.pages["/handbook.pdf"] = SitePage(make_pdf(["Refunds take fourteen days."]), content_type="application/pdf")
    site.pages["/notes.txt"] = SitePage(b"Notes.", content_type="text/plain")
    site.pages["/picture"] = SitePage(b"\x89PNG", content_type="image/png")

    source = web.add("crawl", "/")
    web.run()

    assert web.statuses(source.id) == {
        "/": "fetched",
        "/handbook.pdf": "fetched",
        "/notes.txt": "fetched",
        "/README.md": "fetched",
        "/picture": "unsupported_format",
    }
    types = {row["name"].rpartition("/")[2]: row["content_type"] for row in web.pipeline.documents()}
    assert types == {
        "(index)": "text/html; charset=utf-8",
        "handbook.pdf": "application/pdf",
        "notes.txt": "text/plain",
        "README.md": "text/html; charset=utf-8",
    }
    objects = web.pipeline.objects
    of_type = {row["name"]: TYPE_DECIDES in objects.head(row["s3_key"]).metadata for row in web.pipeline.documents()}
    assert [name.rpartition("/")[2] for name, is_of_type in of_type.items() if is_of_type] == ["(index)", "README.md"]


def test_redirects_and_canonical_links_name_one_document(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/old", "/print", "/x", "/y")
    site.redirect("/old", "/new")
    site.html("/new", "New.")
    site.html("/print", "New.", head='<link rel="canonical" href="/new">')
    site.html("/x", "X names Y.", head='<link rel="canonical" href="/y">')
    site.html("/y", "Y names X.", head='<link rel="canonical" href="/x">')

    source = web.add("crawl", "/")
    web.run()

    assert web.names() == {"/(index)", "/new", "/y"}
    assert web.statuses(source.id)["/old"] == "duplicate_page"
    assert web.source(source.id).is_complete


def test_a_crawl_does_not_leave_its_host(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/away", "/inside", "/round")
    site.redirect("/away", "https://elsewhere.example/")
    site.redirect("/inside", "http://169.254.169.254/latest/meta-data/", 302)
    site.redirect("/round", "/round")

    source = web.add("crawl", "/")
    web.run()

    found = web.statuses(source.id)
    assert (found["/away"], found["/inside"], found["/round"]) == (
        "url_redirected",
        "url_not_allowed",
        "url_redirected",
    )


def test_pages_that_want_no_document_get_none(web: WebIngestion, site: Site) -> None:
    site.robots("User-agent: ChatSphere\nDisallow: /private\nCrawl-delay: 2\n\nUser-agent: *\nDisallow: /")
    site.html("/", "Home.", "/private/a", "/hidden", "/header", "/ends")
    site.html("/hidden", "Hidden.", "/behind", head='<meta name="robots" content="noindex">')
    site.html("/header", "Hidden.", headers={"X-Robots-Tag": "noindex"})
    site.html("/ends", "Shown.", "/not-followed", head='<meta name="robots" content="nofollow">')
    site.html("/behind", "Behind.")

    source = web.add("crawl", "/")
    start = web.pipeline.clock.now()
    web.run()

    assert web.names() == {"/(index)", "/ends", "/behind"}
    found = web.statuses(source.id)
    assert (found["/private/a"], found["/hidden"], found["/header"]) == ("robots_disallowed", "noindex", "noindex")
    assert site.asked("/private/a") == 0
    assert web.source(source.id).is_complete
    # Five requests, two seconds apart.
    assert web.pipeline.clock.now() - start >= timedelta(seconds=8)


def test_a_document_that_somebody_deleted_does_not_come_back(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/a")
    site.html("/a", "Page A.", "/b")
    site.html("/b", "Page B.")
    source = web.add("crawl", "/")
    web.run()

    web.delete_document(f"http:{site.authority}/a")
    web.sources.sync(source.id)
    web.run()

    assert web.names() == {"/(index)", "/b"}
    assert web.pages(source.id)["/a"].is_excluded

    web.add_page("/a")
    web.run()
    assert "/a" in web.names()


def test_a_page_source_goes_with_its_document(web: WebIngestion, site: Site) -> None:
    site.html("/a", "Page A.")
    source = web.add("page", "/a")
    web.run()

    web.delete_document(f"http:{site.authority}/a")

    with pytest.raises(NotFoundError):
        web.source(source.id)


def test_deleting_a_source_deletes_its_documents_and_no_others(web: WebIngestion, site: Site) -> None:
    site.html("/", "Home.", "/a", "/b")
    site.html("/a", "Page A.")
    site.html("/b", "Page B.")
    source = web.add("crawl", "/")
    web.add_page("/b")
    web.pipeline.drop("mine.txt", "Mine.")
    web.pipeline.deliver_events()
    web.run()

    web.sources.delete(source.id)
    with pytest.raises(NotFoundError):
        web.source(source.id)
    web.run()

    assert web.names() == {"mine.txt", "/b"}


def test_a_document_of_somebodys_own_is_not_replaced(web: WebIngestion, site: Site) -> None:
    web.pipeline.drop(f"http:{site.authority}/a", "My own.")
    web.pipeline.run()
    site.html("/", "Home.", "/a")
    site.html("/a", "Page A.")

    source = web.add("crawl", "/")
    web.run()

    assert web.statuses(source.id)["/a"] == "name_taken"
    assert "My own." in web.pipeline.chunks()


def test_a_page_larger_than_a_file_may_be_fails_on_its_document(web: WebIngestion, site: Site) -> None:
    site.html("/a", "x" * web.pipeline.registrar.max_bytes)

    web.add("crawl", "/a")
    web.run()

    assert web.pipeline.document()["error_code"] == "too_large"


def test_a_full_plan_takes_no_more_pages(web: WebIngestion, site: Site, put_on_plan: PutOnPlan) -> None:
    site.html("/", "Home.", "/a")
    site.html("/a", "Page A.")
    put_on_plan(web.pipeline.tenant.organization_id, max_documents_per_bot=1)

    source = web.add("crawl", "/")
    web.run()

    assert web.names() == {"/(index)"}
    assert web.statuses(source.id)["/a"] == "quota_exceeded"


def test_an_archived_bot_is_not_synchronised(web: WebIngestion, site: Site) -> None:
    site.html("/a", "Page A.")
    source = web.add("page", "/a", resync_minutes=15)
    web.run()
    with web.pipeline.connection() as connection:
        connection.execute("UPDATE bots SET status = 'archived' WHERE id = %s", (web.pipeline.tenant.bot_id,))

    web.let_pass(3600)
    web.reap()

    assert not web.fetch_queue.messages
    assert web.source(source.id).status == "synced"


def test_one_source_of_a_kind_and_one_synchronisation_at_a_time(web: WebIngestion, site: Site) -> None:
    site.html("/a", "Page A.")
    source = web.add("crawl", "/a")

    with pytest.raises(SourceExistsError):
        web.add("crawl", "/a#part")
    with pytest.raises(SourceBusyError):
        web.sources.sync(source.id)


def test_what_became_no_document_is_forgotten_when_it_is_not_found_again(web: WebIngestion, site: Site) -> None:
    site.sitemap("/sitemap.xml", site.url("/gone"), site.url("/a"))
    site.html("/a", "Page A.")
    source = web.add("sitemap", "/sitemap.xml", max_pages=2)
    web.run()
    site.sitemap("/sitemap.xml", *(site.url(f"/other/{number}") for number in range(3)))

    web.sources.sync(source.id)
    web.run()

    assert not web.source(source.id).is_complete
    assert set(web.pages(source.id)) == {"/a", "/other/0", "/other/1"}


def test_a_bot_has_only_so_many_sources(web: WebIngestion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submitting, "MAX_SOURCES", {"page": 1, "crawl": 1})
    web.add("crawl", "/a")
    web.add_page("/a")

    with pytest.raises(TooManySourcesError):
        web.add("crawl", "/b")
    with pytest.raises(TooManySourcesError):
        web.add_page("/b")

    assert web.add_page("/a")[1] == "unchanged"
    assert web.names() == {"/a"}


def test_of_the_hosts_those_asked_last_are_known(
    web: WebIngestion, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "MAX_HOSTS", 1)
    with web.pipeline.connection() as connection:
        connection.execute(
            "INSERT INTO web_hosts (organization_id, origin, next_request_at) VALUES (%s, 'https://old.example', %s)",
            (web.pipeline.tenant.organization_id, web.pipeline.clock.now()),
        )
    site.html("/a", "Page A.")
    web.add_page("/a")
    web.run()

    with web.pipeline.connection() as connection:
        known = connection.execute("SELECT origin FROM web_hosts").fetchall()
    assert [row["origin"] for row in known] == [site.url("")]


def test_of_the_sources_that_are_due_each_tenants_first_ones_come_first(
    make_web: Callable[..., WebIngestion], site: Site
) -> None:
    many, one = make_web(), make_web()
    for path in ("/a", "/b", "/c"):
        site.html(path, "A page.")
        many.add("page", path, resync_minutes=15)
    one.add("page", "/a", resync_minutes=60)
    many.run()
    one.run()

    with many.pipeline.reaper_database.transaction(None) as connection:
        values = {"now": one.pipeline.clock.now() + timedelta(hours=2), "limit": 10_000}
        due = [row["organization_id"] for row in connection.execute(reviving.DUE, values)]

    theirs = [web.pipeline.tenant.organization_id for web in (many, one)]
    assert [each for each in due if each in theirs] == [theirs[0], theirs[1], theirs[0], theirs[0]]
