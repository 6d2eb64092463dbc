"""What goes wrong with pages of the web, beyond what shows when one is asked for (`chatsphere.errors.WebError`)."""

from chatsphere.errors import ConflictError, WebError


class UrlNotFoundError(WebError):
    """The page is not there, or not any more (404, 410)."""

    code = "url_not_found"
    title = "There is no such page"


class UrlRefusedError(WebError):
    """The server refuses the page (401, 403 and other 4xx)."""

    code = "url_refused"
    title = "The URL's host refuses the page"


class UrlFailedError(WebError):
    """The server cannot give the page at the moment (429, 5xx)."""

    code = "url_failed"
    title = "The URL's host cannot give the page"
    retryable = True


class RedirectError(WebError):
    """The page redirects in circles, too often, or to another host than its source's."""

    code = "url_redirected"
    title = "The URL redirects to where it is not followed"


class RobotsDisallowedError(WebError):
    """The host's robots.txt does not permit the page."""

    code = "robots_disallowed"
    title = "The host's robots.txt does not permit the page"


class RobotsUnreachableError(WebError):
    """The host's robots.txt cannot be read at the moment, so nothing may be fetched."""

    code = "robots_unreachable"
    title = "The host's robots.txt cannot be read"
    retryable = True


class NoIndexError(WebError):
    """The page says that it is not to be indexed."""

    code = "noindex"
    title = "The page asks not to be indexed"


class DuplicatePageError(WebError):
    """The page is another one's copy, as its redirect or canonical link says."""

    code = "duplicate_page"
    title = "The page is a copy of another one"


class NotReadableError(WebError):
    """The page is a picture, a style sheet or something else that holds no text."""

    code = "unsupported_format"
    title = "The page is in a format that is not read"


class NotASitemapError(WebError):
    """The URL holds no sitemap."""

    code = "invalid_sitemap"
    title = "The URL does not hold a sitemap"


class NameTakenError(WebError):
    """A document that did not come from the web has the page's name."""

    code = "name_taken"
    title = "Another document has the page's name"


class SourceExistsError(ConflictError):
    """The bot has a source of this kind and URL already."""

    code = "source_exists"
    title = "The bot has this source already"


class TooManySourcesError(ConflictError):
    """The bot has as many sources of the kind as a bot may have."""

    code = "too_many_sources"
    title = "The bot has too many sources"


class SourceBusyError(ConflictError):
    """The source is being synchronised, or deleted."""

    code = "source_in_progress"
    title = "The source is being synchronised"
