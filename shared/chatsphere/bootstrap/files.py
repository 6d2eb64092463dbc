"""A part of the container; see `chatsphere.bootstrap`."""

from functools import cached_property
from typing import TYPE_CHECKING

from chatsphere import settings
from chatsphere.bootstrap.connections import Connections
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.row_files import RowFiles
from chatsphere.ports.uploads import MalwareScanner, UploadCredentials

if TYPE_CHECKING:
    from chatsphere.archive.archiving import Archiver
    from chatsphere.archive.erasing import ArchiveEraser


class Files(Connections):
    """Buckets: uploads, archive and what is done with their objects."""

    @cached_property
    def storage_settings(self) -> settings.StorageSettings:
        """Limits of uploads."""
        return self._load(settings.StorageSettings)

    @cached_property
    def object_store(self) -> ObjectStore:
        """The uploads bucket."""
        from chatsphere.adapters.s3 import S3ObjectStore

        return S3ObjectStore(self.storage_settings.uploads_bucket, self.storage_settings.s3_endpoint)

    @cached_property
    def archive_store(self) -> ObjectStore:
        """The bucket of what was archived and exported."""
        from chatsphere.adapters.s3 import S3ObjectStore

        chosen = self._load(settings.ArchiveSettings)
        return S3ObjectStore(chosen.archive_bucket, chosen.s3_endpoint)

    @cached_property
    def row_files(self) -> RowFiles:
        """How archived rows are written and read."""
        from chatsphere.adapters.parquet import ParquetFiles

        return ParquetFiles()

    @cached_property
    def archiver(self) -> "Archiver":
        """Moves rows into the archive."""
        from chatsphere.archive.archiving import Archiver

        return Archiver(self.database, self.archive_store, self.row_files, self.clock, self.ids)

    @cached_property
    def archive_eraser(self) -> "ArchiveEraser":
        """Takes rows out of the archive."""
        from chatsphere.archive.erasing import ArchiveEraser

        return ArchiveEraser(self.database, self.archive_store, self.row_files, self.clock, self.ids)

    @cached_property
    def malware_scanner(self) -> MalwareScanner | None:
        """What says whether an uploaded object is clean; None where nobody scans."""
        if self._load(settings.MalwareScanSettings).malware_scan == "off":
            return None
        from chatsphere.adapters.guardduty import GuardDutyTags

        return GuardDutyTags(self.storage_settings)

    @cached_property
    def upload_credentials(self) -> UploadCredentials:
        """Temporary credentials for uploads."""
        from chatsphere.adapters.sts import StsUploadCredentials

        return StsUploadCredentials(self.upload_credentials_settings, self.storage_settings)

    @cached_property
    def upload_credentials_settings(self) -> settings.UploadCredentialsSettings:
        """Where uploads go, and for how long they may."""
        return self._load(settings.UploadCredentialsSettings)
