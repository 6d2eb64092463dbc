"""What can go wrong in the one-machine run, in words for the person at the terminal."""


class LocalRunError(Exception):
    """The one-machine run cannot start or continue; the message says why and what to do."""


class HomeInUseError(LocalRunError):
    """Another instance holds this home folder."""


class HomeNotUsableError(LocalRunError):
    """The home folder cannot be made, or this user may not use it."""


class HalfRestoredError(LocalRunError):
    """A restore into this home was cut short."""


class PortInUseError(LocalRunError):
    """A port is taken by another program."""


class MissingVariableError(LocalRunError):
    """A function requires an environment variable that the run has no value for."""


class ProviderSettingsError(LocalRunError):
    """The environment asks for a vendor and says too little, or contradicts itself."""


class FunctionStartError(LocalRunError):
    """A function's process ended, or reported an error, before it asked for its first event."""


class InvocationError(Exception):
    """An invocation gave no usable result."""


class FunctionFailedError(InvocationError):
    """The handler raised, or broke the runtime's protocol."""


class WorkerDiedError(InvocationError):
    """The process that held the invocation ended before it answered."""


class TimedOutError(InvocationError):
    """The function did not answer within its time limit, or no worker became free in that time."""
