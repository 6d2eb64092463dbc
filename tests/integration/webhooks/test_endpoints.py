"""Webhooks over HTTP: made, changed, listed, deleted; what is refused; whose they are."""

from typing import Any

import psycopg
import pytest

from chatsphere.webhooks.event_types import EVENT_TYPES
from tests.builders.running_api import RunningApi
from tests.integration.webhooks.harness import Hooked
from tests.loopback.webhook_receiver import Inbox
from tests.postgres import DatabaseUrls

PUBLIC = "https://93.184.216.34/hook"
REFUSED_URLS = [
    "http://93.184.216.34/",
    "https://user:password@93.184.216.34/",
    "https://93.184.216.34:8443/",
    "https://93.184.216.34:80/",
    "https://93.184.216.34/\ud800",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:127.0.0.1]/",
    "https://2130706433/",
    "https://localhost/",
    "https://service.internal/",
    "ftp://93.184.216.34/",
    "https://exa mple.com/",
    "javascript:alert(1)",
    "https://" + "a" * 2000,
    "",
]


def test_a_webhook_is_made_changed_listed_and_deleted(hooked: Hooked) -> None:
    made = hooked.request("POST", "/v1/webhooks", {"url": PUBLIC, "description": " mine ", "bot_ids": [hooked.bot_id]})
    assert made.status == 201
    path = f"/v1/webhooks/{made.json['id']}"
    assert made.json["secret"].startswith("whsec_")
    shown = {name: value for name, value in made.json.items() if name != "secret"}
    assert hooked.request("GET", path).json == shown
    assert hooked.request("GET", "/v1/webhooks").json["data"] == [shown]
    assert (shown["description"], shown["event_types"], shown["bot_ids"]) == ("mine", [], [hooked.bot_id])

    changed = hooked.request("PATCH", path, {"event_types": ["bot.trained"], "bot_ids": None, "is_enabled": False})
    assert (changed.json["event_types"], changed.json["bot_ids"]) == (["bot.trained"], None)
    assert (changed.json["is_enabled"], changed.json["disabled_reason"]) == (False, "asked")
    assert changed.json["url"] == PUBLIC

    assert hooked.request("DELETE", path).status == 204
    assert hooked.request("GET", path).code == "not_found"
    assert hooked.request("DELETE", path).code == "not_found"


def test_the_database_and_the_audit_log_hold_no_secret(hooked: Hooked, database_urls: DatabaseUrls) -> None:
    made = hooked.request("POST", "/v1/webhooks", {"url": PUBLIC}).json
    rotated = hooked.request("POST", f"/v1/webhooks/{made['id']}/rotate-secret", {}).json
    assert rotated["secret"] != made["secret"]
    with psycopg.connect(database_urls.admin) as admin:
        rows = admin.execute("SELECT e::text FROM webhook_endpoints e UNION ALL SELECT a::text FROM audit_log a")
        stored = "\n".join(row for (row,) in rows)
    assert PUBLIC in stored
    for secret in (made["secret"], rotated["secret"]):
        assert secret.removeprefix("whsec_") not in stored


def test_a_url_that_may_not_be_sent_to_is_refused(hooked: Hooked) -> None:
    path = f"/v1/webhooks/{hooked.request('POST', '/v1/webhooks', {'url': PUBLIC}).json['id']}"
    for url in REFUSED_URLS:
        made, changed = (
            hooked.request("POST", "/v1/webhooks", {"url": url}),
            hooked.request("PATCH", path, {"url": url}),
        )
        assert (made.status, made.code, changed.status) == (422, "invalid_request", 422), url
        assert [error["pointer"] for error in made.json["errors"]] == ["body/url"], url


def test_a_name_that_leads_inside_is_refused_when_the_webhook_is_made(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatsphere.adapters.web import WebPosts
    from chatsphere.settings import WebSettings

    addresses = {"inside.example.com": ["93.184.216.34", "10.0.0.1"], "outside.example.com": ["93.184.216.34"]}

    def resolve(host: str) -> list[str]:
        if host not in addresses:
            raise OSError
        return addresses[host]

    vars(hooked.api.container)["web_poster"] = WebPosts(WebSettings(), resolve=resolve)
    assert hooked.request("POST", "/v1/webhooks", {"url": "https://inside.example.com/"}).status == 422
    assert hooked.request("POST", "/v1/webhooks", {"url": "https://outside.example.com/"}).status == 201
    # It may be made before its name is known: each try looks it up again.
    assert hooked.request("POST", "/v1/webhooks", {"url": "https://not-yet.example.com/"}).status == 201
    assert hooked.request("POST", "/v1/webhooks", {"url": "https://BÜCHER.example.com"}).json["url"] == (
        "https://xn--bcher-kva.example.com/"
    )


BAD_FIELDS: list[dict[str, Any]] = [
    {"event_types": ["document.deleted"]},
    {"event_types": "document.ready"},
    {"bot_ids": []},
    {"bot_ids": ["no id"]},
    {"bot_ids": ["01970000-0000-7000-8000-0000000000ff"]},
    {"description": "a" * 501},
    {"is_enabled": None},
    {"secret": "whsec_mine"},
]
BAD_REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("rotate-secret", {"overlap_seconds": -1}),
    ("rotate-secret", {"overlap_seconds": 7 * 86_400 + 1}),
    ("replay", {}),
    ("replay", {"since": "yesterday"}),
    ("replay", {"since": "2026-03-01T00:00:00"}),
]
BAD_FILTERS = [{"status": ["lost"]}, {"type": ["document.deleted"]}, {"limit": ["0"]}, {"cursor": ["x"]}]


def test_bad_fields_requests_and_filters_are_refused(hooked: Hooked) -> None:
    path = f"/v1/webhooks/{hooked.request('POST', '/v1/webhooks', {'url': PUBLIC}).json['id']}"
    for fields in BAD_FIELDS:
        assert hooked.request("POST", "/v1/webhooks", {"url": PUBLIC, **fields}).status == 422, fields
        assert hooked.request("PATCH", path, fields).status == 422, fields
    for route, body in BAD_REQUESTS:
        assert hooked.request("POST", f"{path}/{route}", body).code == "invalid_request", body
    for query in BAD_FILTERS:
        assert hooked.request("GET", f"{path}/deliveries", query=query).code == "invalid_request", query


def test_there_are_twenty_at_most(hooked: Hooked) -> None:
    answers = [hooked.request("POST", "/v1/webhooks", {"url": PUBLIC}) for _ in range(21)]
    assert [answer.status for answer in answers] == [201] * 20 + [409]
    assert answers[-1].code == "too_many_webhooks"


def test_a_repeated_request_makes_one_webhook_and_shows_its_secret_again(hooked: Hooked) -> None:
    first, second = (
        hooked.request("POST", "/v1/webhooks", {"url": PUBLIC}, headers={"Idempotency-Key": "once"}) for _ in range(2)
    )
    assert first.json == second.json
    assert len(hooked.request("GET", "/v1/webhooks").json["data"]) == 1


def test_another_organizations_webhook_is_none(hooked: Hooked, api: RunningApi, inbox: Inbox) -> None:
    webhook = hooked.webhook(inbox)
    hooked.converse()
    hooked.deliver()
    (delivery,) = hooked.deliveries(webhook)
    stranger, path = Hooked.of(api), f"/v1/webhooks/{webhook['id']}"
    mine = stranger.webhook(inbox)
    for method, place, body in (
        ("GET", path, None),
        ("PATCH", path, {"is_enabled": False}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotate-secret", {}),
        ("POST", f"{path}/test", None),
        ("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}),
        ("GET", f"{path}/deliveries", None),
        ("GET", f"{path}/deliveries/{delivery['id']}", None),
        ("POST", f"{path}/deliveries/{delivery['id']}/replay", None),
        ("GET", f"/v1/webhooks/{mine['id']}/deliveries/{delivery['id']}", None),
    ):
        assert stranger.request(method, place, body).code == "not_found", (method, place)
    assert hooked.shown(webhook)["is_enabled"]


def test_the_types_are_listed_with_their_fields_and_an_example(hooked: Hooked) -> None:
    answer = hooked.request("GET", "/v1/webhook-event-types").json
    assert answer["version"] == 1
    assert [one["type"] for one in answer["data"]] == [one.type.value for one in EVENT_TYPES]
    for one in answer["data"]:
        assert {field["name"] for field in one["fields"]} == set(one["example"]["data"])
        assert all(field["description"] for field in one["fields"])
