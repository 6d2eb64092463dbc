"""What an instance runs. The catalog's product is in `chatsphere_product.py`; tests bring their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from infra.catalog import FunctionSpec, Queue

PrepareDatabase = Callable[[str, Mapping[str, str]], None]
"""Takes the superuser's URL and a password for each login role; creates the roles and the schema."""

LOGIN_ROLES = {
    "chatsphere_app": "DATABASE_URL",
    "chatsphere_authenticator": "AUTHENTICATOR_DATABASE_URL",
    "chatsphere_reaper": "REAPER_DATABASE_URL",
    "chatsphere_eraser": "ERASER_DATABASE_URL",
    "chatsphere_maintainer": "MAINTAINER_DATABASE_URL",
}
"""The variable that holds each role's connection URL."""


ARCHIVE_BUCKET: Final = "chatsphere-archive"


@dataclass(frozen=True, slots=True)
class Product:
    """Functions with their code, queues, and what prepares the database.

    `prepare_database` None: there is a database without any schema (and nothing to recover from it).
    `prepare_vector_store` makes what a vector store outside of the database needs; raises `ProviderSettingsError`.
    `values` may be read by functions whose settings name them, besides those that the run computes.
    `make_demo`: whether the first start makes the demo account through the product's own API.
    """

    functions: tuple[FunctionSpec, ...]
    queues: tuple[Queue, ...]
    notifications: Queue
    functions_folder: Path
    python_path: tuple[Path, ...]
    prepare_database: PrepareDatabase | None = None
    prepare_vector_store: Callable[[], None] | None = None
    make_demo: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    bucket: str = "chatsphere-uploads"
    archive_bucket: str = ARCHIVE_BUCKET
    max_upload_bytes: int = 200 * 1024 * 1024
