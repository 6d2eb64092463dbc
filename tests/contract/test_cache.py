"""The `Cache` port: in PostgreSQL, and at a Redis server."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from socket import AF_INET, SOCK_STREAM, socket
from threading import Thread
from uuid import uuid4

import pytest

from chatsphere.adapters.postgres_cache import PostgresCache
from chatsphere.adapters.redis.address import RedisAddress
from chatsphere.adapters.redis.cache import RedisCache
from chatsphere.db.database import Database
from chatsphere.errors import ConfigurationError, ProviderOverloadedError, UnavailableError
from chatsphere.ports.cache import Cache, CacheSpace
from chatsphere.settings import CacheServerSettings
from tests.conftest import Tenant
from tests.fakes import FixedClock
from tests.redis_server import running_redis
from tests.waiting import wait_for

KEY, OTHER = sha256(b"key").digest(), sha256(b"other").digest()


@dataclass
class Case:
    """A cache, two tenants, and how time passes for it."""

    cache: Cache
    tenant: Tenant
    stranger: Tenant
    expire: Callable[[], object]

    @property
    def space(self) -> CacheSpace:
        return CacheSpace(self.tenant.organization_id, self.tenant.bot_id, "answer")


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running_redis() as url:
        yield url


@pytest.fixture(params=["postgresql", "redis"])
def case(request: pytest.FixtureRequest, database: Database, make_tenant: Callable[[], Tenant]) -> Iterator[Case]:
    if request.param == "postgresql":
        clock = FixedClock()
        cache = PostgresCache(database, clock)
        yield Case(cache, make_tenant(), make_tenant(), lambda: clock.advance(timedelta(hours=1)))
        return
    redis = RedisCache(settings(request.getfixturevalue("redis_url")))
    case = Case(redis, make_tenant(), make_tenant(), lambda: None)
    # The server's clock is its own: what lasts a second is waited for.
    case.expire = lambda: wait_for(lambda: redis.get(case.space, KEY) is None, what="the entry to expire")
    yield case
    redis.close()


def settings(url: str, **fields: object) -> CacheServerSettings:
    return CacheServerSettings.model_validate({"cache": "redis", "cache_url": url, "cache_seconds": 2.0, **fields})


def test_what_was_put_is_got(case: Case) -> None:
    value = bytes(range(256)) * 8
    case.cache.put(case.space, KEY, b"first", seconds=60)
    case.cache.put(case.space, KEY, value, seconds=60)
    assert case.cache.get(case.space, KEY) == value
    assert case.cache.get(case.space, OTHER) is None


def test_what_is_too_old_is_gone(case: Case) -> None:
    case.cache.put(case.space, KEY, b"value", seconds=1)
    case.expire()
    assert case.cache.get(case.space, KEY) is None


def test_no_other_space_reads_it_or_writes_over_it(case: Case) -> None:
    # Given
    case.cache.put(case.space, KEY, b"mine", seconds=60)
    others = [
        CacheSpace(case.stranger.organization_id, case.stranger.bot_id, "answer"),
        CacheSpace(case.stranger.organization_id, case.tenant.bot_id, "answer"),
        replace(case.space, kind="question"),
        replace(case.space, bot_id=case.stranger.bot_id),
    ]
    # When
    for other in others:
        assert case.cache.get(other, KEY) is None
        case.cache.put(other, KEY, b"theirs", seconds=60)
    # Then
    assert case.cache.get(case.space, KEY) == b"mine"


def test_all_that_a_bot_has_is_counted_and_forgotten(case: Case) -> None:
    # Given
    keys = [sha256(bytes([n])).digest() for n in range(5)]
    for key in keys:
        case.cache.put(case.space, key, b"value", seconds=60)
    case.cache.put(replace(case.space, kind="question"), KEY, b"value", seconds=60)
    other = CacheSpace(case.stranger.organization_id, case.stranger.bot_id, "answer")
    case.cache.put(other, KEY, b"value", seconds=60)
    place = (case.tenant.organization_id, case.tenant.bot_id)
    # When, Then
    assert case.cache.count(*place) == 6
    assert case.cache.clear(*place) == 6
    assert (case.cache.count(*place), case.cache.clear(*place)) == (0, 0)
    assert case.cache.get(case.space, keys[0]) is None
    assert case.cache.get(other, KEY) == b"value"


# ------------------------------------------------------------------------------------------------ PostgreSQL


def test_a_bot_has_so_many_entries_and_expired_ones_go_in_passing(
    database: Database, make_tenant: Callable[[], Tenant]
) -> None:
    # Given
    tenant, clock = make_tenant(), FixedClock()
    cache, space = PostgresCache(database, clock, max_entries=3), CacheSpace(tenant.organization_id, tenant.bot_id, "a")
    keys = [sha256(bytes([n])).digest() for n in range(6)]
    # When
    for key in keys[:5]:
        cache.put(space, key, b"value", seconds=60)
        clock.advance(timedelta(seconds=1))
    # Then
    assert [cache.get(space, key) is not None for key in keys[:5]] == [False, False, True, True, True]
    clock.advance(timedelta(hours=1))
    cache.put(space, keys[5], b"value", seconds=60)
    with database.transaction(tenant.organization_id) as connection:
        left = connection.execute("SELECT count(*) AS n FROM cache_entries").fetchone()
    assert left == {"n": 1}


def test_nothing_is_kept_for_a_bot_that_is_not_there(database: Database, make_tenant: Callable[[], Tenant]) -> None:
    cache, space = PostgresCache(database, FixedClock()), CacheSpace(make_tenant().organization_id, uuid4(), "a")
    cache.put(space, KEY, b"value", seconds=60)
    assert cache.get(space, KEY) is None


# ----------------------------------------------------------------------------------------------------- Redis


def test_a_server_that_is_not_there_is_left_alone_after_some_failures() -> None:
    # Given
    with socket(AF_INET, SOCK_STREAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    cache = RedisCache(settings(f"redis://127.0.0.1:{port}", cache_breaker_failures=2))
    space = CacheSpace(uuid4(), uuid4(), "answer")
    # Then
    for _ in range(2):
        with pytest.raises(UnavailableError) as failed:
            cache.get(space, KEY)
        assert not isinstance(failed.value, ProviderOverloadedError)
    with pytest.raises(ProviderOverloadedError):
        cache.get(space, KEY)


def test_a_server_that_says_nothing_is_not_waited_for_long() -> None:
    with socket(AF_INET, SOCK_STREAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        cache = RedisCache(settings(f"redis://127.0.0.1:{silent.getsockname()[1]}", cache_seconds=0.05))
        with pytest.raises(UnavailableError, match="TimeoutError"):
            cache.get(CacheSpace(uuid4(), uuid4(), "answer"), KEY)


def test_a_connection_that_broke_while_idle_is_opened_anew(redis_url: str) -> None:
    # Given
    cache, space = RedisCache(settings(redis_url)), CacheSpace(uuid4(), uuid4(), "answer")
    cache.put(space, KEY, b"value", seconds=60)
    # When
    assert cache._connection is not None
    cache._connection._socket.shutdown(2)
    # Then
    assert cache.get(space, KEY) == b"value"
    cache.close()


@pytest.mark.parametrize(
    "reply", [b"-NOAUTH secret\r\n", b"*1\r\n$1\r\na\r\n", b"$x\r\n", b"$99999999\r\n", b"$5\r\nab", b""]
)
def test_a_reply_that_is_none_is_a_failure_that_quotes_nothing(reply: bytes) -> None:
    with socket(AF_INET, SOCK_STREAM) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1000)
                client.sendall(reply)

        thread = Thread(target=answer)
        thread.start()
        cache = RedisCache(settings(f"redis://127.0.0.1:{server.getsockname()[1]}"))
        with pytest.raises(UnavailableError) as failed:
            cache.get(CacheSpace(uuid4(), uuid4(), "answer"), KEY)
        thread.join()
    assert "secret" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_the_client_names_itself_and_chooses_its_database() -> None:
    received = b""
    with socket(AF_INET, SOCK_STREAM) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def answer() -> None:
            nonlocal received
            client, _ = server.accept()
            with client:
                for reply in (b"+OK\r\n", b"+OK\r\n", b"$-1\r\n"):
                    received += client.recv(1000)
                    client.sendall(reply)

        thread = Thread(target=answer)
        thread.start()
        cache = RedisCache(settings(f"redis://ada:p%40ss@127.0.0.1:{server.getsockname()[1]}/3"))
        assert cache.get(CacheSpace(uuid4(), uuid4(), "answer"), KEY) is None
        thread.join()
        cache.close()
    assert received.startswith(
        b"*3\r\n$4\r\nAUTH\r\n$3\r\nada\r\n$4\r\np@ss\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$3\r\nGET\r\n"
    )


@pytest.mark.parametrize("url", ["redis://", "redis://host:port", "redis://host/x", "http://host"])
def test_an_address_that_is_none_is_said_and_not_quoted(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CACHE_URL") as refused:
        RedisAddress.of(url)
    assert "host" not in str(refused.value).replace("a host", "")


@pytest.mark.parametrize("host", ["cache.example", "10.0.0.7", "user:secret@cache.example:6379", "127.0.0.1.example"])
def test_another_machine_is_not_spoken_to_in_the_clear(host: str) -> None:
    given = {"CACHE": "redis", "CACHE_URL": f"redis://{host}/0"}
    with pytest.raises(ConfigurationError, match="rediss://") as refused:
        CacheServerSettings.load(given, lambda arn: arn)
    assert host not in str(refused.value)
    assert CacheServerSettings.load({**given, "CACHE_URL": f"rediss://{host}/0"}, lambda arn: arn).cache == "redis"
    for own in ("localhost", "127.0.0.1:6380", "[::1]"):
        assert CacheServerSettings.load({**given, "CACHE_URL": f"redis://{own}/0"}, lambda arn: arn).cache == "redis"


def test_tls_is_asked_for_by_the_scheme() -> None:
    address = RedisAddress.of("rediss://:secret@cache.example")
    assert (address.tls, address.port, address.user, address.password) == (True, 6379, None, "secret")
    assert "secret" not in repr(address)
