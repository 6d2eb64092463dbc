import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from chatsphere.adapters.gemini.answers import GeminiAnswerModel
from chatsphere.adapters.gemini.lifetimes import SHUT_DOWN, check_served
from chatsphere.adapters.gemini.prices import AS_OF, EMBEDDING_PRICES, PRICES, Price, price_of
from chatsphere.errors import ConfigurationError
from chatsphere.settings import AnswerSettings, EmbeddingSettings

DOCS: Final = Path(__file__).parents[3] / "docs"


def settings(model: str = "gemini-3.5-flash-lite", **prices: object) -> AnswerSettings:
    return AnswerSettings.model_validate(
        {"answer_model": "gemini", "gemini_api_key": "k", "gemini_answer_model": model, **prices}
    )


def test_the_default_model_has_a_price() -> None:
    assert price_of(settings()) == PRICES["gemini-3.5-flash-lite"] == Price(300_000, 2_500_000)


def test_every_model_that_settings_or_documents_name_has_a_price() -> None:
    documents = " ".join((DOCS / name).read_text() for name in ("operations.md", "cli.md", "deploy.md"))
    named = set(re.findall(r"`?(gemini-(?:embedding-\d+|\d[\w.-]*\w))", documents))
    chosen = {AnswerSettings.model_fields["gemini_answer_model"].default}
    chosen |= {EmbeddingSettings.model_fields["gemini_embedding_model"].default}
    assert chosen <= named
    assert named <= PRICES.keys() | EMBEDDING_PRICES.keys()


def test_the_documents_say_of_when_the_prices_are() -> None:
    assert f"prices of {AS_OF}" in (DOCS / "operations.md").read_text()


def test_no_model_of_the_table_was_shut_down_when_its_price_was_read() -> None:
    for name in PRICES.keys() | EMBEDDING_PRICES.keys():
        check_served(name, AS_OF)


def test_a_model_is_refused_once_it_is_shut_down() -> None:
    [(name, end)] = [(name, end) for name, end in SHUT_DOWN.items() if name in PRICES]
    assert GeminiAnswerModel(settings(name), today=end - timedelta(days=1)).model == name
    with pytest.raises(ConfigurationError, match=f"{end}"):
        GeminiAnswerModel(settings(f"models/{name}"), today=end)


def test_a_model_may_be_named_as_lists_name_it() -> None:
    assert price_of(settings("models/gemini-3.5-flash")) == PRICES["gemini-3.5-flash"]


@pytest.mark.parametrize(
    ("prompt", "completion", "cost"), [(0, 0, 0), (1, 0, 1), (4000, 400, 2200), (1_000_000, 1_000_000, 2_800_000)]
)
def test_a_call_costs_whole_microdollars_rounded_up(prompt: int, completion: int, cost: int) -> None:
    assert Price(300_000, 2_500_000).cost(prompt, completion) == cost


def test_an_unknown_price_is_an_error_that_names_the_way_out() -> None:
    with pytest.raises(ConfigurationError, match="GEMINI_INPUT_MICRODOLLARS"):
        GeminiAnswerModel(settings("gemini-9-ultra"))


def test_given_prices_come_first() -> None:
    given: dict[str, Any] = {"gemini_input_microdollars": 1, "gemini_output_microdollars": 0}
    assert price_of(settings("gemini-9-ultra", **given)) == price_of(settings(**given)) == Price(1, 0)


def test_half_a_price_is_none() -> None:
    with pytest.raises(ConfigurationError, match="both"):
        price_of(settings(gemini_input_microdollars=1))
