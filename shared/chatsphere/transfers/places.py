"""Where the files are in the archive bucket."""

from uuid import UUID

from chatsphere.ports.objects import ObjectStore


def export_key(organization_id: UUID, bot_id: UUID, export_id: UUID) -> str:
    """Return the key of an export's file."""
    return f"exports/{organization_id}/{bot_id}/{export_id}.zip"


def import_key(organization_id: UUID, import_id: UUID) -> str:
    """Return the key under which an import's file is uploaded."""
    return f"imports/{organization_id}/{import_id}"


def delete_files_of_bot(archive: ObjectStore, organization_id: UUID, bot_id: UUID) -> int:
    """Delete every file that was made of a bot; return how many there were."""
    return archive.delete_prefix(f"exports/{organization_id}/{bot_id}/")


def prefixes_of(organization_id: UUID, bot_id: UUID | None = None) -> list[str]:
    """Return where every file is that was made of an organization's bots, or of one of them, and what was uploaded:
    that is told apart by no bot.
    """
    exported = f"exports/{organization_id}/"
    return [exported if bot_id is None else f"{exported}{bot_id}/", f"imports/{organization_id}/"]
