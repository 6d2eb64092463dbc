"""How long each step of an export or import may take, and how often it is tried."""

from datetime import timedelta
from typing import Final

LEASE: Final = timedelta(minutes=6)
"""How long one that shows no sign of life is left alone: longer than the function that works on it runs."""

WORK_TIME: Final = timedelta(seconds=220)
"""How long one delivery works, less than its function's own limit. An import goes on in the next one."""

MAX_ATTEMPTS: Final = 5
"""How often one is taken up without getting further, before it fails."""

EXPORT_KEPT: Final = timedelta(days=7)
"""Published: how long the file of an export can be downloaded."""

LINK_SECONDS: Final = 300
"""How long the link to an export's file is valid; whoever asks again is given another."""

UPLOAD_WITHIN: Final = timedelta(hours=24)
"""Published: how long an import waits for its file, and to be started."""

FORM_SECONDS: Final = 3600
"""How long an upload may begin after the form was asked for."""

UPLOADED_BY: Final = timedelta(seconds=2 * FORM_SECONDS)
"""After this nothing comes by an import's form any more: an upload that began in time has ended."""
