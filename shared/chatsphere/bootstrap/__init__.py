"""Everything concrete is chosen here, from the environment, when it is first needed."""

import os
from functools import lru_cache

from chatsphere.bootstrap.credentials import Credentials
from chatsphere.bootstrap.files import Files
from chatsphere.bootstrap.models import Models
from chatsphere.bootstrap.outside import Outside
from chatsphere.bootstrap.vectors import Vectors


class Container(Credentials, Files, Models, Vectors, Outside):
    """One execution environment's adapters.

    Vendor imports happen inside the properties, so that a function pays only for what it touches.
    """


@lru_cache(maxsize=1)
def container() -> Container:
    """Return this process's container, made from its environment."""
    return Container(os.environ)
