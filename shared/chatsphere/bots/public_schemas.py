"""What anybody sees of a public bot."""

from uuid import UUID

from chatsphere.http.models import ApiResponse


class PublicBotResponse(ApiResponse):
    """A public bot, as it presents itself."""

    id: UUID
    name: str
    description: str
    avatar: str | None
    welcome_message: str
