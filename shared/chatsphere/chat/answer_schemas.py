"""Bodies of what is asked of an answer that is there, or being written."""

from typing import Literal
from uuid import UUID

from chatsphere.http.models import ApiResponse


class StoppedAnswer(ApiResponse):
    """`stopping`: the writer ends within about a second, and keeps what was said. `stopped`: it has done so."""

    message_id: UUID
    state: Literal["stopping", "stopped"]
