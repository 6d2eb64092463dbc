"""The answer model that needs no language model: it quotes the best sentences and invents nothing."""

from chatsphere.adapters.extractive.model import MODEL, ExtractiveAnswerModel

__all__ = ["MODEL", "ExtractiveAnswerModel"]
