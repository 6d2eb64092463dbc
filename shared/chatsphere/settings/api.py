"""What the HTTP API says of itself, and to browsers."""

from chatsphere.settings.environment import Environment


class ApiSettings(Environment):
    """What the API says of itself."""

    public_url: str = "http://127.0.0.1:8000"


class BrowserSettings(Environment):
    """Pages of which other origins may read answers in a browser: `https://host[:port]`, separated by commas."""

    console_origins: str = ""

    @property
    def origins(self) -> frozenset[str]:
        """The origins, none by default."""
        return frozenset(filter(None, map(str.strip, self.console_origins.split(","))))
