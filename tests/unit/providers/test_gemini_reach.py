"""Whether Gemini would serve us, asked without paying."""

from typing import Any

import pytest

from chatsphere.adapters.gemini.answers import GeminiAnswerModel
from chatsphere.adapters.gemini.embedder import GeminiEmbedder
from chatsphere.errors import ProviderRejectedError, UnavailableError
from chatsphere.ports.reach import Reachable
from chatsphere.settings import AnswerSettings, EmbeddingSettings
from tests.loopback.gemini_faults import Refuses
from tests.loopback.gemini_server import GeminiServer


def models(url: str, **changed: Any) -> list[Reachable]:
    common = {"gemini_url": url, "gemini_api_key": "test-key", "provider_backoff_seconds": 0} | changed
    return [
        GeminiEmbedder(EmbeddingSettings.model_validate({"embedder": "gemini"} | common)),
        GeminiAnswerModel(AnswerSettings.model_validate({"answer_model": "gemini"} | common)),
    ]


def test_only_the_description_of_the_model_is_asked_for(gemini: GeminiServer) -> None:
    for model in models(gemini.url):
        model.reach()
    assert [(call.method, call.path) for call in gemini.received] == [
        ("GET", "/v1/models/gemini-embedding-2"),
        ("GET", "/v1/models/gemini-3.5-flash-lite"),
    ]


def test_a_wrong_key_is_rejected(gemini: GeminiServer) -> None:
    for model in models(gemini.url, gemini_api_key="another"):
        with pytest.raises(ProviderRejectedError):
            model.reach()


def test_what_is_broken_is_unavailable(gemini: GeminiServer) -> None:
    gemini.faults += [Refuses(500)] * 20
    for model in models(gemini.url):
        with pytest.raises(UnavailableError):
            model.reach()
