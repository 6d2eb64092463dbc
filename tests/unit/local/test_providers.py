"""Which vendors `make up` uses, by the environment it is started in."""

from pathlib import Path

import pytest

from infra.catalog import FUNCTIONS
from infra.local.errors import ProviderSettingsError
from infra.local.providers import provider_values, used_vendors


def test_without_a_key_nothing_leaves_the_machine() -> None:
    values = provider_values({"PATH": "/bin", "HOME": "/root"})
    assert values == {"VECTOR_DIMENSIONS": "384"}
    assert used_vendors(values) == []


def test_a_gemini_key_chooses_its_embedder_and_its_answers() -> None:
    values = provider_values({"GEMINI_API_KEY": "k"})
    assert (values["EMBEDDER"], values["ANSWER_MODEL"], values["VECTOR_DIMENSIONS"]) == ("gemini", "gemini", "768")
    assert used_vendors(values) == ["Gemini"]


def test_a_choice_that_is_set_wins_over_what_a_key_would_choose() -> None:
    values = provider_values({"GEMINI_API_KEY": "k", "EMBEDDER": "minilm", "PINECONE_API_KEY": "p"})
    assert (values["EMBEDDER"], values["ANSWER_MODEL"], values["VECTOR_STORE"]) == ("minilm", "gemini", "pinecone")
    assert values["VECTOR_DIMENSIONS"] == "384"
    assert used_vendors(values) == ["Pinecone", "Gemini"]


def test_the_limits_of_calls_are_taken_over_and_nothing_else() -> None:
    values = provider_values({"PROVIDER_ATTEMPTS": "2", "AWS_PROFILE": "mine", "GEMINI_URL": ""})
    assert values == {"VECTOR_DIMENSIONS": "384", "PROVIDER_ATTEMPTS": "2"}


def test_how_the_web_is_read_is_taken_over() -> None:
    web = {"WEB_PRIVATE_HOSTS": "127.0.0.1:8080", "WEB_REQUESTS_PER_SECOND": "20"}
    values = provider_values(web)
    fetch_pages = next(spec for spec in FUNCTIONS if spec.name == "fetch_pages")

    assert web.items() <= values.items()
    assert set(web) <= {name for group in fetch_pages.settings for name in group.variables()}


def test_stripes_key_is_taken_over() -> None:
    stripe = {
        "STRIPE_API_KEY": "sk_test_1",
        "STRIPE_WEBHOOK_SECRET": "whsec_1",
        "STRIPE_PRICE_IDS": "Pro=price_1",
        "BILLING_RETURN_URL": "http://localhost",
    }

    values = provider_values(stripe)

    assert stripe.items() <= values.items()


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"PINECONE_API_KEY": "p", "QDRANT_URL": "http://127.0.0.1:1"}, "VECTOR_STORE"),
        ({"EMBEDDER": "gemini"}, "GEMINI_API_KEY"),
        ({"ANSWER_MODEL": "gemini"}, "GEMINI_API_KEY"),
        ({"VECTOR_STORE": "pinecone"}, "PINECONE_API_KEY"),
        ({"VECTOR_STORE": "weaviate"}, "VECTOR_STORE"),
        ({"PROVIDER_ATTEMPTS": "none"}, "PROVIDER_ATTEMPTS"),
        ({"STRIPE_API_KEY": "sk_test_1"}, "STRIPE_WEBHOOK_SECRET"),
        ({"WEB_REQUESTS_PER_SECOND": "0"}, "WEB_REQUESTS_PER_SECOND"),
        ({"GEMINI_API_KEY": "a\u201cb"}, "GEMINI_API_KEY"),
        ({"PINECONE_API_KEY": "a\r\nx: b"}, "PINECONE_API_KEY"),
    ],
)
def test_what_cannot_work_is_said_before_anything_starts(environment: dict[str, str], named: str) -> None:
    with pytest.raises(ProviderSettingsError, match=named):
        provider_values(environment)


def test_a_key_is_never_quoted() -> None:
    with pytest.raises(ProviderSettingsError) as caught:
        provider_values({"GEMINI_API_KEY": "canary-key", "EMBEDDER": "canary-key"})
    assert "canary-key" not in str(caught.value)


def test_ocr_needs_its_program_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ProviderSettingsError, match="no program tesseract"):
        provider_values({"OCR": "tesseract"})
    with pytest.raises(ProviderSettingsError, match="for the cloud"):
        provider_values({"OCR": "textract"})
    assert provider_values({"OCR": "off", "OCR_MAX_PAGES": "5"})["OCR_MAX_PAGES"] == "5"
