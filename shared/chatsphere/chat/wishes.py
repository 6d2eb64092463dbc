"""What whoever asks wants otherwise than the bot's settings say, for one answer, as far as the bot permits."""

from dataclasses import dataclass, replace
from typing import Final

from chatsphere.bots.configuration import BotConfiguration
from chatsphere.bots.model import Bot

ADDED: Final = "The program that asks adds:"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is None or empty stays as the bot has it.

    `system` stands below the bot's own system prompt, and so below the rules of answering that stand above that.
    `max_output_tokens` can lower what the bot permits and not raise it.
    """

    system: str = ""
    temperature: float | None = None
    max_output_tokens: int | None = None

    def applied_to(self, bot: Bot) -> Bot:
        """Return the bot as it answers this once."""
        prompt, configuration = bot.system_prompt, bot.configuration
        if self.system.strip():
            prompt = "\n\n".join(filter(None, [prompt.strip(), f"{ADDED}\n{self.system.strip()}"]))
        if self.max_output_tokens is not None:
            most = min(self.max_output_tokens, configuration.max_output_tokens)
            configuration = configuration.merged(BotConfiguration(max_output_tokens=most))
        temperature = bot.temperature if self.temperature is None else self.temperature
        return replace(bot, system_prompt=prompt, temperature=temperature, configuration=configuration)
