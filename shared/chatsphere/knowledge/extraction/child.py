"""The child process: confine itself, parse one file, write its blocks as JSON lines.

Run as `python -m chatsphere.knowledge.extraction.child TASK`. Everything that a parser or a vendor's library
raises ends here as an error code; its text is not passed on.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from chatsphere.errors import DocumentError, EmptyDocumentError, ExtractionLimitError
from chatsphere.knowledge.extraction import protocol
from chatsphere.knowledge.extraction.confinement import confine, die_with
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Parsed, clean, finish
from chatsphere.knowledge.extraction.protocol import Header, Task
from chatsphere.knowledge.text import Block

_WRITE_BYTES = 64 * 1024
_MAX_TITLE_CHARS = 500


def main() -> None:
    """Do the task of the command line."""
    task, parent = Task.from_argument(sys.argv[1])
    die_with(parent)
    module, _, function = task.parser.partition(":")
    parse = getattr(importlib.import_module(module), function)
    confine(task.limits)
    output = _take_stdout()
    output.write(_run(task, parse, output))
    output.flush()
    # Skips the clean-up of vendors' libraries, which may crash or hang on what they have just read.
    os._exit(0)


def _take_stdout() -> BinaryIO:
    """Keep the pipe for the protocol; what a library prints goes where stderr goes."""
    output = os.fdopen(os.dup(1), "wb", buffering=_WRITE_BYTES)
    os.dup2(2, 1)
    return output


def _run(task: Task, parse: Callable[[Path, ExtractionLimits], Parsed], output: BinaryIO) -> bytes:
    """Write the document; return the last line."""
    try:
        parsed = parse(task.path, task.limits)
        title = " ".join(clean(parsed.title or "").split())[:_MAX_TITLE_CHARS] or None
        output.write(protocol.encode_header(Header(parsed.page_count, title)))
        output.flush()
        for block in _bounded(finish(parsed.blocks), task.limits):
            output.write(protocol.encode_block(block))
    except DocumentError as error:
        return protocol.encode_end(error.code)
    except (MemoryError, RecursionError):
        return protocol.encode_end(ExtractionLimitError.code)
    except Exception as error:  # a parser's bug must end this document only
        return protocol.encode_end("corrupt", _where(error))
    return protocol.encode_end()


def _bounded(blocks: Iterator[Block], limits: ExtractionLimits) -> Iterator[Block]:
    total = 0
    for block in blocks:
        total += len(block.text.encode())
        if total > limits.max_output_bytes:
            raise ExtractionLimitError
        yield block
    if not total:
        raise EmptyDocumentError


def _where(error: Exception) -> str:
    """Name the exception and its place, without its message: that may quote the document."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {place}"


if __name__ == "__main__":
    main()
