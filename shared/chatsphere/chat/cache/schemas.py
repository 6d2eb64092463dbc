"""Bodies of a bot's cache."""

from datetime import date

from pydantic import Field

from chatsphere.http.models import ApiResponse


class CacheResponse(ApiResponse):
    """What the cache of answers did for a bot."""

    enabled: bool = Field(description="Whether answers are taken from it: by the bot's settings and the deployment's.")
    entries: int | None = Field(description="Answers that are kept; null where another server than PostgreSQL does.")
    hits: int
    misses: int = Field(description="Questions that could have been answered from it, had they been asked before.")
    hit_rate: float | None = Field(description="Hits of all these questions, 0 to 1; null before the first.")
    saved_microdollars: int = Field(description="What embedding and answering would have cost.")
    since: date | None = Field(description="The first day (UTC) that was counted.")
