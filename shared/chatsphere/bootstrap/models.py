"""A part of the container; see `chatsphere.bootstrap`."""

from functools import cached_property

from chatsphere import settings
from chatsphere.bootstrap.connections import Connections
from chatsphere.ports.answers import AnswerModel
from chatsphere.ports.embedding import Embedder, EmbeddingModel, TokenCounter
from chatsphere.ports.ocr import Ocr
from chatsphere.ports.personal_data import PersonalDataFinder
from chatsphere.ports.reach import Reachable


class Models(Connections):
    """Models: what embeds, reads pictures, and answers."""

    def remote_models(self) -> dict[str, Reachable | None]:
        """Return the models by what they are for; None: it runs where it is used, and there is nothing to reach.

        Raises:
            ConfigurationError: a model lacks a setting.
        """
        from chatsphere.adapters.gemini.answers import GeminiAnswerModel
        from chatsphere.adapters.gemini.embedder import GeminiEmbedder

        embedding, answers = self._embedding_settings, self._load(settings.AnswerSettings)
        today = self.clock.now().date()
        return {
            "embedding_model": GeminiEmbedder(embedding) if embedding.embedder == "gemini" else None,
            "answer_model": GeminiAnswerModel(answers, today) if answers.answer_model == "gemini" else None,
        }

    @cached_property
    def embedder(self) -> Embedder:
        """The model that embeds bots for which no other was chosen."""
        if self._embedding_settings.embedder == "gemini":
            from chatsphere.adapters.gemini.embedder import GeminiEmbedder

            return GeminiEmbedder(self._embedding_settings)
        if self._embedding_settings.embedder == "local" and self._local_embedder is not None:
            return self._local_embedder
        from chatsphere.adapters.minilm import MiniLmEmbedder

        return MiniLmEmbedder()

    def embedder_for(self, model: str | None) -> Embedder:
        """Return the embedder of this name, None: the deployment's own; one a process for each.

        Raises:
            EmbeddingModelUnavailableError: the deployment has no such model, or its key no more.
        """
        if model is None or model == self.embedder.model:
            return self.embedder
        if model not in self._further_embedders:
            self._further_embedders[model] = self._make_embedder(model)
        return self._further_embedders[model]

    def available_embedders(self) -> list[EmbeddingModel]:
        """Return every model that this deployment can embed with. Loads none of them."""
        from chatsphere.adapters.embedding_models import embedding_models

        return embedding_models(self._embedding_settings)

    def _make_embedder(self, model: str) -> Embedder:
        from chatsphere.adapters.minilm import MODEL, MiniLmEmbedder

        if model == MODEL:
            return MiniLmEmbedder()
        if self._local_embedder is not None and model == self._local_embedder.model:
            return self._local_embedder
        from chatsphere.adapters.gemini.embedder import GeminiEmbedder

        return GeminiEmbedder.of_model(model, self._embedding_settings)

    @cached_property
    def _local_embedder(self) -> Embedder | None:
        """The model of the folder that the settings name."""
        if self._embedding_settings.local_embedding_model is None:
            return None
        from chatsphere.adapters.embedding_models import local_model_folder
        from chatsphere.adapters.local_model import LocalEmbedder

        folder = local_model_folder(self._embedding_settings)
        return None if folder is None else LocalEmbedder(folder)

    @cached_property
    def _embedding_settings(self) -> settings.EmbeddingSettings:
        return self._load(settings.EmbeddingSettings)

    @cached_property
    def _further_embedders(self) -> dict[str, Embedder]:
        return {}

    @cached_property
    def ocr_settings(self) -> settings.OcrSettings:
        """Whether, and how much of a document, is read by OCR."""
        return self._load(settings.OcrSettings)

    @cached_property
    def ocr(self) -> Ocr | None:
        """What reads scanned pages; None where that is off."""
        if self.ocr_settings.ocr == "tesseract":
            from chatsphere.adapters.ocr_tesseract import TesseractOcr

            return TesseractOcr(self.ocr_settings)
        if self.ocr_settings.ocr == "textract":
            from chatsphere.adapters.textract import TextractOcr

            return TextractOcr(self.ocr_settings)
        return None

    def check_ocr(self) -> None:
        """See that the chosen OCR engine is on this machine, where it has to be.

        Raises:
            ConfigurationError: the program, or a language of it, is missing.
        """
        if self.ocr_settings.ocr == "tesseract":
            from chatsphere.adapters.ocr_tesseract import TesseractOcr

            TesseractOcr(self.ocr_settings).check()

    @cached_property
    def token_counter(self) -> TokenCounter:
        """The embedder's tokenizer without its model."""
        if self._load(settings.EmbeddingSettings).embedder == "gemini":
            from chatsphere.adapters.gemini.tokens import GeminiTokenEstimate

            return GeminiTokenEstimate()
        if self._embedding_settings.embedder == "local":
            return self.embedder
        from chatsphere.adapters.minilm import MiniLmTokenizer

        return MiniLmTokenizer()

    @cached_property
    def personal_data(self) -> PersonalDataFinder:
        """What finds personal data in texts."""
        from chatsphere.adapters.redaction import RuleFinder

        return RuleFinder()

    @cached_property
    def answer_model(self) -> AnswerModel:
        """The model that writes answers."""
        chosen = self._load(settings.AnswerSettings)
        if chosen.answer_model == "gemini":
            from chatsphere.adapters.gemini.answers import GeminiAnswerModel

            return GeminiAnswerModel(chosen, today=self.clock.now().date())
        from chatsphere.adapters.extractive import ExtractiveAnswerModel

        return ExtractiveAnswerModel(self.embedder)
