from typing import Any

import pytest

from chatsphere.adapters.gemini.answers import GeminiAnswerModel
from chatsphere.adapters.gemini.prices import PRICES, Price, price_of
from chatsphere.errors import ConfigurationError
from chatsphere.settings import AnswerSettings


def settings(model: str = "gemini-3.5-flash-lite", **prices: object) -> AnswerSettings:
    return AnswerSettings.model_validate(
        {"answer_model": "gemini", "gemini_api_key": "k", "gemini_answer_model": model, **prices}
    )


def test_the_default_model_has_a_price() -> None:
    assert price_of(settings()) == PRICES["gemini-3.5-flash-lite"] == Price(300_000, 2_500_000)


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
