"""Parsers that misbehave, run in the child in place of real ones."""

import ctypes
import os
import time
from collections.abc import Iterator
from pathlib import Path

from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Parsed
from chatsphere.knowledge.text import Block


def well_behaved(path: Path, limits: ExtractionLimits) -> Parsed:
    return Parsed(iter([Block("one"), Block("two")]), page_count=2, title="  A \n title ")


def eat_memory(path: Path, limits: ExtractionLimits) -> Parsed:
    hoard = []
    while True:
        hoard.append(bytearray(16 * 1024 * 1024))


def spin(path: Path, limits: ExtractionLimits) -> Parsed:
    while True:
        pass


def spin_after_a_block(path: Path, limits: ExtractionLimits) -> Parsed:
    def blocks() -> Iterator[Block]:
        yield Block("x" * 10_000)
        yield from (Block("y" * 30_000) for _ in range(10))
        spin(path, limits)

    return Parsed(blocks())


def sleep(path: Path, limits: ExtractionLimits) -> Parsed:
    while True:
        time.sleep(60)


def flood(path: Path, limits: ExtractionLimits) -> Parsed:
    return Parsed(Block("word " * 1000) for _ in iter(int, 1))


def flood_without_counting(path: Path, limits: ExtractionLimits) -> Parsed:
    """Writes to every descriptor, past the protocol."""
    while True:
        for descriptor in range(3, 16):
            try:
                os.write(descriptor, b"x" * 65_536)
            except OSError:
                continue


def crash(path: Path, limits: ExtractionLimits) -> Parsed:
    ctypes.string_at(0)
    raise AssertionError


def leave(path: Path, limits: ExtractionLimits) -> Parsed:
    os._exit(0)


def fail(path: Path, limits: ExtractionLimits) -> Parsed:
    raise ValueError("SECRET text of a vendor")


def print_text(path: Path, limits: ExtractionLimits) -> Parsed:
    print("this is not the protocol", flush=True)
    os.system("echo neither is this")
    return Parsed(iter([Block("fine")]))


def write_a_file(path: Path, limits: ExtractionLimits) -> Parsed:
    path.with_suffix(".written").write_text("x" * 100)
    return Parsed(iter([Block("fine")]))


def show_environment(path: Path, limits: ExtractionLimits) -> Parsed:
    return Parsed(iter([Block(" ".join(["names:", *sorted(os.environ)]))]))


def endless(path: Path, limits: ExtractionLimits) -> Parsed:
    return Parsed(Block(f"pid {os.getpid()}") for _ in iter(int, 1))


def announce_and_spin(path: Path, limits: ExtractionLimits) -> Parsed:
    def blocks() -> Iterator[Block]:
        yield Block(f"{os.getpid()} " + "x" * 31_000)
        yield from (Block("y" * 31_000) for _ in range(10))
        spin(path, limits)

    return Parsed(blocks())
