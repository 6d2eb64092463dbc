"""How pages of the web are fetched, and which addresses may be asked."""

from pydantic import Field

from chatsphere.settings.environment import Environment


class WebSettings(Environment):
    """Limits of one fetch. `web_private_hosts` is a comma-separated list of `host:port` that may be asked although
    their addresses are private; empty everywhere but where a test or an operator wants an internal site read.
    """

    web_private_hosts: str = ""
    web_user_agent: str = Field(default="ChatSphere", pattern=r"^[!-~][ -~]{0,199}$")
    web_connect_seconds: float = Field(default=5.0, gt=0, le=30)
    web_total_seconds: float = Field(default=30.0, gt=0, le=100)
    web_max_bytes: int = Field(default=20 * 1024 * 1024, ge=1)
    web_max_redirects: int = Field(default=5, ge=0, le=20)
    web_requests_per_second: float = Field(default=1.0, gt=0, le=50)

    @property
    def private_hosts(self) -> frozenset[str]:
        """`web_private_hosts`, one by one."""
        return frozenset(entry.strip().lower() for entry in self.web_private_hosts.split(",") if entry.strip())
