"""Reading a bot's file, which may be anybody's: nothing in it is believed before it was checked."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final, Self, TypeVar

from pydantic import BaseModel, ValidationError

from chatsphere.transfers.errors import FileTooLargeError, InvalidFileError, UnknownFormatError
from chatsphere.transfers.format import BOT, FORMAT, MANIFEST, VERSION, BotLine, Line, Manifest, ManifestHead, Member
from chatsphere.transfers.limits import (
    MAX_LINE_BYTES,
    MAX_MEMBERS,
    MAX_RATIO,
    MAX_SMALL_MEMBER_BYTES,
    MAX_UNPACKED_BYTES,
)
from chatsphere.transfers.remote_file import RemoteFile
from chatsphere.zip_checks import DAMAGES, has_overlaps, is_bomb, is_encrypted

BLOCK_BYTES: Final = 256 * 1024

Model = TypeVar("Model", bound=Line)
Parsed = TypeVar("Parsed", bound=BaseModel)


@contextmanager
def damage_reported() -> Iterator[None]:
    """Report an archive that is cut off, or whose data or checksums are wrong."""
    try:
        yield
    except (*DAMAGES, RuntimeError) as error:
        raise InvalidFileError("The ZIP is damaged.") from error


class TransferFile:
    """An open file; a context manager.

    Raises:
        InvalidFileError, FileTooLargeError: whatever is done with it, as soon as it shows.
    """

    def __init__(self, file: RemoteFile) -> None:
        with damage_reported():
            self._zip = zipfile.ZipFile(file)
        entries = self._zip.filelist
        if len(entries) > MAX_MEMBERS or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
            raise FileTooLargeError
        if len({entry.filename for entry in entries}) < len(entries):
            raise InvalidFileError("Two members have the same name.")
        _check(entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def manifest(self) -> tuple[Manifest, str]:
        """Return what the file says it is, and the SHA-256 of that.

        Raises:
            UnknownFormatError: it is of a later release.
        """
        with self._open(MANIFEST, None) as member:
            text = member.read(MAX_SMALL_MEMBER_BYTES + 1)
        if len(text) > MAX_SMALL_MEMBER_BYTES:
            raise FileTooLargeError
        head = _parsed(ManifestHead, text, MANIFEST)
        if head.format != FORMAT:
            raise InvalidFileError("The manifest is no bot's.")
        if head.version > VERSION:
            raise UnknownFormatError(f"The file is of format {head.version}; this release reads {VERSION}.")
        return _parsed(Manifest, text, MANIFEST), hashlib.sha256(text).hexdigest()

    def bot(self, manifest: Manifest) -> BotLine:
        """Return the bot's settings."""
        member = manifest.members["bot.json"]
        if member.size > MAX_SMALL_MEMBER_BYTES:
            raise FileTooLargeError
        return _parsed(BotLine, b"".join(self.content(BOT, member)), BOT)

    def content(self, name: str, member: Member) -> Iterator[bytes]:
        """Yield a member's bytes; at its end it is known whether they are those that it was to have."""
        digest, left = hashlib.sha256(), member.size
        with self._open(name, member) as opened, damage_reported():
            while block := opened.read(BLOCK_BYTES):
                digest.update(block)
                left -= len(block)
                yield block
        if left or digest.hexdigest() != member.sha256:
            raise InvalidFileError(f"{name} is not what the file says it is.")

    def lines(self, name: str, member: Member, model: type[Model], *, most: int) -> Iterator[Model]:
        """Yield what the lines of a member say."""
        held = b""
        count = 0
        for block in self.content(name, member):
            *whole, held = (held + block).split(b"\n")
            if len(held) > MAX_LINE_BYTES:
                raise FileTooLargeError(f"A line of {name} is too long.")
            for line in whole:
                count += 1
                if count > most:
                    raise FileTooLargeError(f"{name} has more than {most} lines.")
                yield _parsed(model, line, f"{name}, line {count}")
        if held:
            raise InvalidFileError(f"{name} ends within a line.")

    def _open(self, name: str, member: Member | None) -> IO[bytes]:
        with damage_reported():
            try:
                entry = self._zip.getinfo(name)
            except KeyError:
                raise InvalidFileError(f"There is no {name}.") from None
            if member is not None and entry.file_size != member.size:
                raise InvalidFileError(f"{name} is not what the file says it is.")
            return self._zip.open(entry)


def _check(entries: list[zipfile.ZipInfo]) -> None:
    if has_overlaps(entries):
        raise InvalidFileError("Members overlap.")
    for entry in entries:
        if is_encrypted(entry) or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InvalidFileError("A member is encrypted, or packed in an unknown way.")
        if is_bomb(entry, small_bytes=MAX_SMALL_MEMBER_BYTES, max_ratio=MAX_RATIO):
            raise FileTooLargeError("A member unpacks to far more than it holds.")


def _parsed(model: type[Parsed], text: bytes, place: str) -> Parsed:
    try:
        return model.model_validate_json(text)
    except (ValidationError, RecursionError) as error:
        # Which field, and not what it holds.
        where = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else ""
        raise InvalidFileError(f"{place} is not valid{f': {where}' if where else ''}.") from None
