"""`TextractOcr`: botocore's own client against a server on loopback that speaks Textract's protocol."""

import base64
from collections.abc import Iterator

import pytest

from chatsphere.adapters.textract import TextractOcr
from chatsphere.errors import ConfigurationError, CorruptDocumentError, DocumentTooLargeError, UnavailableError
from chatsphere.settings import OcrSettings
from tests.loopback.scripted_http import Answer, Fault, LoopbackServer, Request, serving

THROTTLED = Answer(400, {"__type": "ThrottlingException", "message": "slow down, tenant 7"})
BLOCKS = {
    "DocumentMetadata": {"Pages": 1},
    "Blocks": [
        {"BlockType": "PAGE", "Id": "1"},
        {"BlockType": "LINE", "Id": "2", "Text": "Grüße aus Bern", "Confidence": 99.1},
        {"BlockType": "WORD", "Id": "3", "Text": "Grüße"},
        {"BlockType": "LINE", "Id": "4", "Text": "und Basel"},
    ],
}


class Textract:
    """Answers with `answer`, whatever comes."""

    def __init__(self) -> None:
        self.answer = Answer(200, BLOCKS, {"content-type": "application/x-amz-json-1.1"})

    def __call__(self, _request: Request) -> Answer:
        return self.answer


@pytest.fixture
def service() -> Textract:
    return Textract()


@pytest.fixture
def server(service: Textract, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with serving(service, THROTTLED, Answer(503, {"__type": "InternalServerError"})) as running:
        yield running


@pytest.fixture
def ocr(server: LoopbackServer) -> TextractOcr:
    return TextractOcr(OcrSettings(ocr="textract", textract_endpoint=server.url, ocr_page_seconds=1))


def test_the_lines_of_a_page_are_its_text(ocr: TextractOcr, server: LoopbackServer) -> None:
    assert ocr.read(b"\x89PNG") == "Grüße aus Bern\nund Basel"

    (request,) = server.requests
    assert request.headers["x-amz-target"] == "Textract.DetectDocumentText"
    assert request.body == {"Document": {"Bytes": base64.b64encode(b"\x89PNG").decode()}}


@pytest.mark.parametrize("blocks", [{"Blocks": []}, {"Blocks": [{"BlockType": "PAGE"}]}])
def test_a_page_without_text(blocks: dict[str, object], ocr: TextractOcr, service: Textract) -> None:
    service.answer = Answer(200, blocks)

    assert ocr.read(b"x") == ""


def test_a_throttled_call_is_tried_again(ocr: TextractOcr, server: LoopbackServer) -> None:
    server.faults.queue(Fault.OVERLOADED)

    assert ocr.read(b"x") == "Grüße aus Bern\nund Basel"


@pytest.mark.parametrize("fault", [Fault.OVERLOADED, Fault.UNAVAILABLE, Fault.MALFORMED, Fault.CUT])
def test_a_service_that_does_not_answer(fault: Fault, ocr: TextractOcr, server: LoopbackServer) -> None:
    server.faults.queue(fault, fault)

    with pytest.raises(UnavailableError) as raised:
        ocr.read(b"x")
    assert "tenant" not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("BadDocumentException", CorruptDocumentError),
        ("UnsupportedDocumentException", CorruptDocumentError),
        ("InvalidParameterException", CorruptDocumentError),
        ("DocumentTooLargeException", DocumentTooLargeError),
        ("AccessDeniedException", ConfigurationError),
        ("LimitExceededException", UnavailableError),
    ],
)
def test_what_the_service_refuses(code: str, error: type[Exception], ocr: TextractOcr, service: Textract) -> None:
    service.answer = Answer(400, {"__type": code, "message": "no"})

    with pytest.raises(error):
        ocr.read(b"x")
