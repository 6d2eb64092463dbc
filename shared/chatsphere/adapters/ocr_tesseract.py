"""`Ocr` on Tesseract: its own program, one process for each page, which sees nothing but the picture."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import Final

from chatsphere.errors import ConfigurationError, CorruptDocumentError, ExtractionLimitError
from chatsphere.settings import OcrSettings

_PROGRAM: Final = "tesseract"
_DPI: Final = "300"
_LIST_SECONDS: Final = 10
_MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
_PASSED_ON: Final = ("PATH", "TESSDATA_PREFIX", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class TesseractOcr:
    """The `Ocr` port; looks for the program when first used."""

    engine = "tesseract"

    def __init__(self, settings: OcrSettings) -> None:
        self._settings = settings

    def check(self) -> None:
        """See that the program and its languages are there.

        Raises:
            ConfigurationError: they are not; says how they are installed.
        """
        wanted = self._settings.ocr_languages.split("+")
        missing = sorted(set(wanted) - self._languages())
        if missing:
            packages = " ".join(f"tesseract-ocr-{name.replace('_', '-').lower()}" for name in missing)
            raise ConfigurationError(
                f"OCR_LANGUAGES: Tesseract has no data for {', '.join(missing)} (on Debian: {packages})."
            )

    def read(self, image: bytes) -> str:
        """See `Ocr.read`."""
        command = [self._program, "stdin", "stdout", "-l", self._settings.ocr_languages, "--dpi", _DPI]
        with TemporaryDirectory(prefix="chatsphere-ocr-") as folder:
            process = _start(command, folder)
            try:
                text, _ = process.communicate(image, timeout=self._settings.ocr_page_seconds)
            except subprocess.TimeoutExpired:
                raise ExtractionLimitError from None
            finally:
                _end(process)
        if process.returncode != 0:
            raise CorruptDocumentError
        return text.decode("utf-8", "replace")

    @cached_property
    def _program(self) -> str:
        found = shutil.which(_PROGRAM)
        if found is None:
            raise ConfigurationError("OCR=tesseract, and there is no program tesseract (on Debian: tesseract-ocr).")
        return found

    def _languages(self) -> set[str]:
        command = [self._program, "--list-langs"]
        try:
            run = subprocess.run(  # noqa: S603 - no shell; the arguments are ours
                command, capture_output=True, text=True, timeout=_LIST_SECONDS, check=True, env=_environment()
            )
        except (OSError, subprocess.SubprocessError):
            raise ConfigurationError("OCR=tesseract, and the program tesseract does not work.") from None
        return set(run.stdout.split("\n")[1:])


def _start(command: list[str], folder: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(  # noqa: S603 - no shell; the arguments are ours
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=_environment(),
        start_new_session=True,
    )
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(OSError):
            resource.prlimit(process.pid, resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
            resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the program's group, and reap it; the group of one that has ended may be another's."""
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _environment() -> dict[str, str]:
    # More threads than one for a page slow Tesseract down as soon as another page is read beside it.
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {"OMP_THREAD_LIMIT": "1"}
