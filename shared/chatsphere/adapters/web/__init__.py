"""`PageFetcher` and `WebPoster` on urllib3, for URLs that nobody vouches for."""

from chatsphere.adapters.web.pages import WebPages
from chatsphere.adapters.web.posting import WebPosts

__all__ = ["WebPages", "WebPosts"]
