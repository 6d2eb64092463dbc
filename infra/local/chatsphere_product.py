"""ChatSphere itself, as the catalog describes it."""

from collections.abc import Mapping

from chatsphere.settings import StorageSettings
from infra import catalog
from infra.local.launcher import REPOSITORY
from infra.local.product import Product


def _migrate(admin_url: str, role_passwords: Mapping[str, str]) -> None:
    from chatsphere.db.migrate import migrate  # its imports take longer than the rest of the run's

    migrate(admin_url, role_passwords)


def chatsphere() -> Product:
    """Return the product that `make up` runs."""
    return Product(
        functions=catalog.FUNCTIONS,
        queues=catalog.QUEUES,
        notifications=catalog.BUCKET_NOTIFICATIONS,
        functions_folder=REPOSITORY / "functions",
        python_path=(REPOSITORY / "shared",),
        prepare_database=_migrate,
        make_demo=True,
        max_upload_bytes=int(StorageSettings.model_fields["max_upload_bytes"].default),
    )
