"""What can go wrong while packaging."""


class PackagingError(Exception):
    """A package cannot be built; the message says which and why."""


class WrongPlatformError(PackagingError):
    """A file in a package cannot run on the package's target."""
