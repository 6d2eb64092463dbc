"""REST access to a vendor: limits, retries, a circuit breaker."""

from chatsphere.adapters.upstream.client import QUESTION_SECONDS, Reply, Upstream

__all__ = ["QUESTION_SECONDS", "Reply", "Upstream"]
