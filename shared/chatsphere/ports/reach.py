"""Whether a service of somebody else is there."""

from typing import Protocol


class Reachable(Protocol):
    """A service of somebody else that can be asked, at no cost, whether it would serve us."""

    def reach(self) -> None:
        """Ask it once, for two seconds at most.

        Raises:
            UnavailableError, ProviderOverloadedError: it does not answer, or wants to be left alone.
            ProviderRejectedError: it does not take our key, or does not know what we want of it.
        """
        ...
