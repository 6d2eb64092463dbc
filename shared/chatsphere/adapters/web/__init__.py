"""`PageFetcher` on urllib3, for URLs that nobody vouches for."""

from chatsphere.adapters.web.pages import WebPages

__all__ = ["WebPages"]
