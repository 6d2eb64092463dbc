"""ChatSphere itself, as the catalog describes it."""

from collections.abc import Mapping
from functools import partial

from chatsphere.errors import ChatSphereError
from chatsphere.settings import StorageSettings
from infra import catalog
from infra.local.errors import ProviderSettingsError
from infra.local.launcher import REPOSITORY
from infra.local.product import Product


def _migrate(admin_url: str, role_passwords: Mapping[str, str]) -> None:
    from chatsphere.db.migrate import migrate, with_passwords  # its imports take longer than the rest of the run's

    migrate(admin_url, with_passwords(role_passwords))


def _prepare_vector_store(values: Mapping[str, str]) -> None:
    from chatsphere.bootstrap import Container

    try:
        Container(values).prepare_vector_store()
    except ChatSphereError as error:
        raise ProviderSettingsError(error.detail) from None


def chatsphere(values: Mapping[str, str]) -> Product:
    """Return the product that `make up` runs; `values` are what its functions may read of the providers' settings."""
    return Product(
        functions=tuple(spec for spec in catalog.FUNCTIONS if not isinstance(spec.trigger, catalog.DeploymentTrigger)),
        queues=catalog.QUEUES,
        notifications=catalog.BUCKET_NOTIFICATIONS,
        functions_folder=REPOSITORY / "functions",
        python_path=(REPOSITORY / "shared",),
        prepare_database=_migrate,
        prepare_vector_store=partial(_prepare_vector_store, values),
        make_demo=True,
        values=values,
        max_upload_bytes=int(StorageSettings.model_fields["max_upload_bytes"].default),
    )
