"""`Ocr` on Amazon Textract (DetectDocumentText), or anything that speaks its protocol."""

from functools import cached_property
from typing import Any, Final

from chatsphere.errors import ConfigurationError, CorruptDocumentError, DocumentTooLargeError, UnavailableError
from chatsphere.settings import OcrSettings

_UNREADABLE: Final = frozenset({"BadDocumentException", "UnsupportedDocumentException", "InvalidParameterException"})
_REFUSED: Final = frozenset({"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException"})


class TextractOcr:
    """The `Ocr` port; connects when first used."""

    engine = "textract"

    def __init__(self, settings: OcrSettings) -> None:
        self._settings = settings

    def read(self, image: bytes) -> str:
        """See `Ocr.read`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.detect_document_text(Document={"Bytes": image})
        except ClientError as error:
            raise _meaning(error.response.get("Error", {}).get("Code", "")) from None
        except BotoCoreError:
            raise UnavailableError("Textract does not answer.") from None
        if "Blocks" not in answer:  # botocore takes an answer that was cut for one that says nothing
            raise UnavailableError("Textract's answer is not whole.")
        lines = (block.get("Text", "") for block in answer["Blocks"] if block.get("BlockType") == "LINE")
        return "\n".join(lines)

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config
        from botocore.session import get_session

        seconds = self._settings.ocr_page_seconds
        # A page that was read and not answered for is paid for again: few tries, and the queue tries again anyway.
        config = Config(
            connect_timeout=3, read_timeout=seconds / 2, retries={"mode": "standard", "total_max_attempts": 2}
        )
        return get_session().create_client("textract", endpoint_url=self._settings.textract_endpoint, config=config)


def _meaning(code: str) -> Exception:
    if code in _UNREADABLE:
        return CorruptDocumentError()
    if code == "DocumentTooLargeException":
        return DocumentTooLargeError()
    if code in _REFUSED:
        return ConfigurationError(f"Textract refuses the call: {code}.")
    return UnavailableError("Textract does not take the page.")
