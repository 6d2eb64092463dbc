"""Which models a deployment can embed with, without loading or calling any."""

from chatsphere.adapters.gemini.embedder import model_name
from chatsphere.adapters.gemini.prices import EMBEDDING_PRICES, embedding_price
from chatsphere.adapters.minilm import DIMENSIONS, MODEL
from chatsphere.adapters.model_folder import ModelFolder, read_model_folder
from chatsphere.ports.embedding import EmbeddingModel
from chatsphere.settings import EmbeddingSettings


def embedding_models(settings: EmbeddingSettings) -> list[EmbeddingModel]:
    """Return the models of this machine and, where there is a key, Google's; the deployment's own comes first.

    Raises:
        ConfigurationError: the price of the model that the settings name is not known, or its folder holds none.
    """
    models = [EmbeddingModel(MODEL, DIMENSIONS, 0, settings.embedder == "minilm")]
    folder = local_model_folder(settings)
    if folder is not None:
        models.append(EmbeddingModel(folder.name, folder.dimensions, 0, settings.embedder == "local"))
    if settings.gemini_api_key:
        models += [_gemini(settings, name) for name in _names(settings)]
    return sorted(models, key=lambda model: not model.is_default)


def local_model_folder(settings: EmbeddingSettings) -> ModelFolder | None:
    """Return what the settings' folder says of its model; None where they name no folder.

    Raises:
        ConfigurationError: it holds no model that can be used.
    """
    if settings.local_embedding_model is None:
        return None
    return read_model_folder(
        settings.local_embedding_model, settings.local_embedding_query_prompt, settings.local_embedding_passage_prompt
    )


def _names(settings: EmbeddingSettings) -> list[str]:
    """Return Google's models that a price is known of, the one in the settings before all."""
    return list(dict.fromkeys([settings.gemini_embedding_model.removeprefix("models/"), *EMBEDDING_PRICES]))


def _gemini(settings: EmbeddingSettings, name: str) -> EmbeddingModel:
    own = settings.gemini_embedding_model.removeprefix("models/") == name
    return EmbeddingModel(
        model_name(name, settings.gemini_embedding_dimensions),
        settings.gemini_embedding_dimensions,
        embedding_price(settings, name).input,
        own and settings.embedder == "gemini",
    )
