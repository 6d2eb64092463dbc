"""Which vendors a run uses: those whose keys stand in the environment of `make up`."""

from collections.abc import Mapping
from pathlib import Path

from chatsphere.bootstrap import Container
from chatsphere.errors import ConfigurationError
from chatsphere.settings import (
    AnswerSettings,
    CacheServerSettings,
    EmbeddingSettings,
    OcrSettings,
    StripeSettings,
    VectorStoreSettings,
    WebSettings,
)
from infra.local.errors import ProviderSettingsError

GROUPS = (
    EmbeddingSettings,
    VectorStoreSettings,
    AnswerSettings,
    CacheServerSettings,
    StripeSettings,
    OcrSettings,
    WebSettings,
)

CHOSEN_BY = {
    "GEMINI_API_KEY": {"EMBEDDER": "gemini", "ANSWER_MODEL": "gemini"},
    "PINECONE_API_KEY": {"VECTOR_STORE": "pinecone"},
    "QDRANT_URL": {"VECTOR_STORE": "qdrant"},
    "CACHE_URL": {"CACHE": "redis"},
}
"""What the presence of a variable chooses, unless the choice itself is set, too."""


def provider_values(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the provider settings that a run takes over from `environment`, and what they choose.

    Raises:
        ProviderSettingsError: two vector stores have keys and none is chosen by VECTOR_STORE; a value is wrong, or
            something was chosen that lacks its key, or its program on this machine.
    """
    known = {name for group in GROUPS for name in group.variables()}
    values = {name: environment[name] for name in known if environment.get(name)}
    values = {**_choices(values), **values}
    if "LOCAL_EMBEDDING_MODEL" in values:
        # Functions may run in folders of their own.
        values["LOCAL_EMBEDDING_MODEL"] = str(Path(values["LOCAL_EMBEDDING_MODEL"]).resolve())
    try:
        for group in GROUPS:
            group.load(values)
        values.setdefault("VECTOR_DIMENSIONS", _dimensions(values))
    except ConfigurationError as error:
        raise ProviderSettingsError(error.detail) from None
    _check_ocr(values)
    return values


def _dimensions(values: Mapping[str, str]) -> str:
    """Return the length of the vectors of the deployment's own model; sees that a folder named for one holds one."""
    models = Container(values).available_embedders()
    return next(str(model.dimensions) for model in models if model.is_default)


def _check_ocr(values: Mapping[str, str]) -> None:
    container = Container(values)
    if container.ocr_settings.ocr == "textract" and not container.ocr_settings.textract_endpoint:
        raise ProviderSettingsError("OCR=textract is for the cloud; on one machine choose OCR=tesseract")
    try:
        container.check_ocr()
    except ConfigurationError as error:
        raise ProviderSettingsError(error.detail) from None


def _choices(given: Mapping[str, str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for variable in sorted(CHOSEN_BY.keys() & given.keys()):
        for name, choice in CHOSEN_BY[variable].items():
            if name not in given and chosen.setdefault(name, choice) != choice:
                message = f"there are keys for {chosen[name]} and {choice}: choose one, such as {name}={choice}"
                raise ProviderSettingsError(message)
    return chosen


def used_vendors(values: Mapping[str, str]) -> list[str]:
    """Return what of the values leaves this machine, for the person who started the run."""
    names = (values.get("EMBEDDER"), values.get("VECTOR_STORE"), values.get("ANSWER_MODEL"))
    vendors = {"gemini": "Gemini", "pinecone": "Pinecone", "qdrant": "Qdrant"}
    return list(dict.fromkeys(vendors[name] for name in names if name in vendors))
