"""The product around a model that obeys whatever it reads."""

from collections.abc import Callable, Iterator

import pytest

from chatsphere.chat.asgi import services_from_environment
from tests.builders.running_api import RunningApi, running_api
from tests.fakes import FixedClock, InMemoryObjectStore
from tests.fakes_chat import BagOfWordsEmbedder
from tests.integration.safety.house import House
from tests.integration.safety.obeying import obey
from tests.loopback.gemini_server import GeminiServer
from tests.postgres import DatabaseUrls


@pytest.fixture(scope="module")
def gemini() -> Iterator[GeminiServer]:
    """Gemini's API, with the model that obeys."""
    with GeminiServer(answer=obey) as gemini:
        yield gemini


@pytest.fixture(scope="module")
def api(database_urls: DatabaseUrls, gemini: GeminiServer) -> Iterator[RunningApi]:
    """The API with its own parts but for the model's service, the bucket, the queues and the embedder."""
    variables = {"ANSWER_MODEL": "gemini", "GEMINI_URL": gemini.url, "GEMINI_API_KEY": gemini.key}
    services_from_environment.cache_clear()
    with running_api(database_urls, DEFAULT_PLAN="Enterprise", **variables) as api:
        objects = InMemoryObjectStore(FixedClock(api.clock.now()))
        vars(api.container).update(object_store=objects, embedder=BagOfWordsEmbedder())
        yield api
    services_from_environment.cache_clear()


@pytest.fixture
def make_house(api: RunningApi, gemini: GeminiServer) -> Callable[[], House]:
    """Return a function that founds an organization with a bot."""
    return lambda: House.found(api, gemini)


@pytest.fixture
def house(make_house: Callable[[], House], gemini: GeminiServer) -> House:
    """An organization with a bot, of which the model has not heard yet."""
    gemini.received.clear()
    return make_house()
