"""What Gemini's models cost, for the cost that is kept with each answer.

As of `AS_OF`, from Google's page "Gemini Developer API pricing" (ai.google.dev/gemini-api/docs/pricing), paid tier,
text, standard calls. Taken from a transcription of that page, for it cannot be reached from the machine this was
written on: check it before you rely on it. The output price covers thinking.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from chatsphere.adapters.gemini.api import bare_name
from chatsphere.errors import ConfigurationError
from chatsphere.settings import AnswerSettings, EmbeddingSettings

AS_OF: Final = date(2026, 10, 7)
"""When the prices were read. A model that is added later dates the whole table anew."""

_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars for a million tokens."""

    input: int
    output: int

    def cost(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Return the micro-dollars of one call, rounded up."""
        return -(-(prompt_tokens * self.input + completion_tokens * self.output) // _MILLION)


PRICES: Final[dict[str, Price]] = {
    "gemini-3.8-flash": Price(1_500_000, 7_500_000),  # Half of it until 2026-12-31.
    "gemini-3.5-flash": Price(1_500_000, 9_000_000),
    "gemini-3.5-flash-lite": Price(300_000, 2_500_000),
    "gemini-3.1-flash-lite": Price(250_000, 1_500_000),
    "gemini-2.5-flash-lite": Price(100_000, 400_000),
}
EMBEDDING_PRICES: Final[dict[str, Price]] = {
    "gemini-embedding-2": Price(200_000, 0),
    "gemini-embedding-001": Price(150_000, 0),
}


def embedding_price(settings: EmbeddingSettings, name: str) -> Price:
    """Return the price of an embedding model; of the one in the settings, what they give comes first.

    Raises:
        ConfigurationError: the model's price is not known.
    """
    given = settings.gemini_embedding_microdollars
    if given is not None and name == bare_name(settings.gemini_embedding_model):
        return Price(given, 0)
    if name not in EMBEDDING_PRICES:
        raise ConfigurationError(
            f"The price of the model {name!r} is not known: set GEMINI_EMBEDDING_MICRODOLLARS (for a million tokens), "
            "or choose one of: " + ", ".join(sorted(EMBEDDING_PRICES)) + "."
        )
    return EMBEDDING_PRICES[name]


def price_of(settings: AnswerSettings) -> Price:
    """Return the price of the model that the settings name; prices given there come first.

    Raises:
        ConfigurationError: the model's price is not known, or only one of the two is given.
    """
    given = (settings.gemini_input_microdollars, settings.gemini_output_microdollars)
    match given:
        case (int(per_input), int(per_output)):
            return Price(per_input, per_output)
        case (None, None):
            pass
        case _:
            raise ConfigurationError("Set both GEMINI_INPUT_MICRODOLLARS and GEMINI_OUTPUT_MICRODOLLARS, or neither.")
    name = bare_name(settings.gemini_answer_model)
    if name not in PRICES:
        raise ConfigurationError(
            f"The price of the model {name!r} is not known: set GEMINI_INPUT_MICRODOLLARS and "
            "GEMINI_OUTPUT_MICRODOLLARS (for a million tokens), or choose one of: " + ", ".join(sorted(PRICES)) + "."
        )
    return PRICES[name]
