"""The child process: confine itself, parse one file, write its blocks as JSON lines.

Run as `python -m chatsphere.knowledge.extraction.child TASK`. Everything that a parser or a vendor's library
raises ends here as an error code; its text is not passed on.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from chatsphere.errors import DocumentError, EmptyDocumentError, ExtractionLimitError
from chatsphere.knowledge.extraction import protocol
from chatsphere.knowledge.extraction.confinement import confine, die_with
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Parsed, Place, Scan, clean, finish
from chatsphere.knowledge.extraction.protocol import Header, Task
from chatsphere.knowledge.text import Block

_WRITE_BYTES = 64 * 1024
_MAX_TITLE_CHARS = 500


def main() -> None:
    """Do the task of the command line."""
    task, parent = Task.from_argument(sys.argv[1])
    die_with(parent)
    name, _, function = task.parser.partition(":")
    module = importlib.import_module(name)
    parse = getattr(module, function)
    confine(task.limits)
    if task.position.place is not None:
        parse = partial(module.resume, place=protocol.decode_place(task.position.place))
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
        for block, place in _bounded(_wanted(parsed, task.position.blocks), task):
            if place is not None:
                output.write(protocol.encode_place(place))
            if isinstance(block, Scan):
                image = block.render() if task.limits.ocr_pages else b""
                output.writelines(protocol.encode_scan(block.page, block.heading_path, image))
                output.flush()  # it is read while the next page is rendered
            else:
                output.write(protocol.encode_block(block))
    except DocumentError as error:
        return protocol.encode_end(error.code)
    except (MemoryError, RecursionError):
        return protocol.encode_end(ExtractionLimitError.code)
    except Exception as error:  # a parser's bug must end this document only
        return protocol.encode_end("corrupt", _where(error))
    return protocol.encode_end()


def _wanted(parsed: Parsed, known: int) -> Iterator[tuple[Block | Scan, Place | None]]:
    """Yield the blocks but the first `known`, each with the place that it is the first to come after, if any."""
    latest = None
    for number, block in enumerate(finish(parsed.blocks)):
        former, latest = latest, parsed.place()
        if number >= known:
            yield block, None if latest is former else latest


def _bounded(
    blocks: Iterator[tuple[Block | Scan, Place | None]], task: Task
) -> Iterator[tuple[Block | Scan, Place | None]]:
    total = task.position.chars
    for block, place in blocks:
        total += 1 if isinstance(block, Scan) else len(block.text.encode())
        if total > task.limits.max_output_bytes:
            raise ExtractionLimitError
        yield block, place
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
