"""What a thousand messages and a thousand pages use, on top of the idle bill."""

from collections.abc import Iterator, Mapping
from typing import Final

from chatsphere.settings import AnswerSettings, EmbeddingSettings
from infra.catalog import FUNCTIONS
from infra.cloud.cost.assumptions import PerMessage, PerPage
from infra.cloud.cost.bill import Usage
from infra.cloud.cost.prices import Meter

UNITS: Final = 1_000
KB_PER_GB: Final = 1024 * 1024
GEMINI_PAGE: Final = "Gemini Developer API pricing, from chatsphere/adapters/gemini/prices.py"
MICRO: Final = 1e-6


def gemini_meters() -> Mapping[str, Meter]:
    """Return the meters of the models that the product uses unless told otherwise, at the product's own prices."""
    from chatsphere.adapters.gemini.prices import EMBEDDING_PRICES, PRICES

    answer: str = AnswerSettings.model_fields["gemini_answer_model"].default
    embedding: str = EmbeddingSettings.model_fields["gemini_embedding_model"].default
    prices = {
        "gemini_prompt_token": (answer, PRICES[answer].input),
        "gemini_answer_token": (answer, PRICES[answer].output),
        "gemini_embedded_token": (embedding, EMBEDDING_PRICES[embedding].input),
    }
    return {
        name: Meter(dollars=microdollars * MICRO * MICRO, unit=f"token, {model}", page=GEMINI_PAGE)
        for name, (model, microdollars) in prices.items()
    }


def message_usage(vector_store: str, message: PerMessage) -> Iterator[Usage]:
    """Yield what a thousand questions and their answers use."""
    yield Usage("api_request", UNITS, "requests")
    yield Usage("lambda_request", 2 * UNITS, "chat and authorizer")
    yield Usage("lambda_gb_second", UNITS * _gigabytes("answer_question") * message.chat_seconds, "chat")
    yield Usage("lambda_gb_second", UNITS * _gigabytes("authorize_request") * message.authorizer_seconds, "authorizer")
    yield Usage("gemini_embedded_token", UNITS * message.question_tokens, "questions")
    yield Usage("gemini_prompt_token", UNITS * message.prompt_tokens, "passages, history and instructions")
    yield Usage("gemini_answer_token", UNITS * message.answer_tokens, "answers")
    yield Usage("gemini_prompt_token", UNITS * message.rewrite_prompt_tokens, "questions that follow others")
    yield Usage("gemini_answer_token", UNITS * message.rewrite_answer_tokens, "questions that follow others")
    yield Usage("aurora_acu", UNITS * message.database_acu_seconds / 3600, "database")
    yield Usage("log_ingestion", UNITS * message.log_kb / KB_PER_GB, "logs")
    yield Usage("data_out", UNITS * message.response_kb / KB_PER_GB, "answers on their way")
    if vector_store == "pinecone":
        yield Usage("pinecone_read_unit", UNITS * message.pinecone_read_units, "search")


def page_usage(vector_store: str, page: PerPage) -> Iterator[Usage]:
    """Yield what a thousand pages use on their way into the vector store, and a month of keeping them."""
    documents, chunks = UNITS / page.pages_per_document, UNITS * page.chunks
    yield Usage("gemini_embedded_token", UNITS * page.tokens, "chunks")
    yield Usage(
        "lambda_gb_second", documents * _gigabytes("register_object") * page.register_seconds_per_document, "register"
    )
    yield Usage(
        "lambda_gb_second", documents * _gigabytes("extract_document") * page.extract_seconds_per_document, "extract"
    )
    yield Usage("lambda_gb_second", chunks * _gigabytes("embed_chunks") * page.embed_seconds_per_chunk, "embed")
    yield Usage("lambda_request", documents * page.queue_requests_per_document / 4, "ingestion")
    yield Usage("sqs_request", documents * page.queue_requests_per_document, "ingestion")
    yield Usage("aurora_acu", chunks * page.database_acu_seconds_per_chunk / 3600, "database")
    yield Usage("aurora_storage", chunks * page.database_kb_per_chunk / KB_PER_GB, "chunks, kept for a month")
    yield Usage("log_ingestion", documents * page.log_kb_per_document / KB_PER_GB, "logs")
    yield Usage("s3_put", documents, "uploads")
    yield Usage("s3_get", documents, "extraction")
    yield Usage("s3_storage", UNITS * page.object_kb / KB_PER_GB, "originals, kept for a month")
    if vector_store == "pinecone":
        yield Usage("pinecone_write_unit", chunks * page.pinecone_write_units_per_chunk, "vectors")


def _gigabytes(function: str) -> float:
    return next(spec.memory_mb for spec in FUNCTIONS if spec.name == function) / 1024
