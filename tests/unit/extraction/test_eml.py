"""EML: mails and what is attached to them."""

from base64 import b64encode
from email.message import EmailMessage
from pathlib import Path

import pytest

from chatsphere.errors import EncryptedDocumentError, TypeMismatchError, UnsupportedFormatError
from chatsphere.knowledge.extraction import eml, extract_file
from chatsphere.knowledge.text import BlockKind
from tests.builders.docx import make_docx
from tests.builders.eml import SHOWN, make_mail, raw_mail
from tests.builders.epub import make_epub
from tests.builders.pdf import make_drawing_pdf, make_pdf
from tests.unit.extraction.reading import LIMITS, extract, parse, texts

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def test_the_headers_come_first_then_the_text(tmp_path: Path) -> None:
    mail = make_mail("Hello,\n\nyours\nJörg")

    assert texts(extract(tmp_path, "a.eml", mail.as_bytes())) == [SHOWN, "Hello,", "yours\nJörg"]


def test_the_subject_is_the_title(tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(make_mail().as_bytes())

    with extract_file(file, name="mail", declared_type="message/rfc822", limits=LIMITS) as extraction:
        assert (extraction.title, extraction.media_type) == ("Angebot für Grüße", "message/rfc822")


def test_of_alternatives_the_richest_is_read(tmp_path: Path) -> None:
    mail = make_mail("Plain", "<h1>Rich</h1><p>text &amp; more</p>")
    invitation = make_mail("Come at ten.")
    invitation.add_alternative("BEGIN:VCALENDAR", subtype="calendar")
    picture = make_mail("What it says", "<html><body><img src='cid:1'></body></html>")

    assert texts(parse("eml", tmp_path, mail.as_bytes()))[1:] == ["Rich", "text & more"]
    assert texts(parse("eml", tmp_path, invitation.as_bytes()))[1:] == ["Come at ten."]
    assert texts(parse("eml", tmp_path, picture.as_bytes()))[1:] == ["What it says"]


@pytest.mark.parametrize(
    ("charset", "encoding", "text"),
    [
        ("iso-8859-1", "8bit", "5 € für Grüße".encode("cp1252")),
        ("utf-8", "base64", b64encode("5 € für Grüße".encode())),
        ("utf-8", "quoted-printable", b"5 =E2=82=AC f=C3=BCr=\r\n Gr=C3=BC=C3=9Fe"),
        ("us-ascii", "8bit", "5 € für Grüße".encode()),
        ("x-unknown", "8bit", "5 € für Grüße".encode("cp1252")),
    ],
)
def test_texts_are_decoded_also_where_the_mail_is_wrong_about_them(
    charset: str, encoding: str, text: bytes, tmp_path: Path
) -> None:
    headers = (f"Content-Type: text/plain; charset={charset}", f"Content-Transfer-Encoding: {encoding}")

    assert texts(parse("eml", tmp_path, raw_mail(text, *headers)))[1:] == ["5 € für Grüße"]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("=?utf-8?B?R3LDvMOfZQ==?= =?iso-8859-1?Q?_f=FCr_Bo?=", "Grüße für Bo"),
        ("=?x-nothing?Q?Gr=FC=DFe?=", "Grüße"),
        ("=?utf-8?B?!?= broken", "broken"),
        ("Grüße\r\n für\r\n\tBo", "Grüße für Bo"),
        ("=?utf-8?Q?two_=0D=0Alines?=", "two lines"),
    ],
)
def test_headers_are_decoded(raw: str, shown: str, tmp_path: Path) -> None:
    assert texts(parse("eml", tmp_path, raw_mail(b"x", f"Subject: {raw}")))[0].endswith(f"Subject: {shown}")


def test_lines_that_flow_are_joined(tmp_path: Path) -> None:
    mail = raw_mail(b"This line \r\ngoes on.\r\n> quoted \r\n-- \r\nBo", "Content-Type: text/plain; format=flowed")

    assert texts(parse("eml", tmp_path, mail))[1] == "This line goes on.\n> quoted\n--\nBo"


def test_attachments_are_read_by_the_parsers_of_their_formats(tmp_path: Path) -> None:
    mail = make_mail(
        attachments={
            "Bericht Ü.pdf": make_pdf(["Page one.", "Page two."]),
            "a.docx": make_docx(["From Word."]),
            "b.epub": make_epub({"a.xhtml": "<h1>Chapter</h1><p>From a book.</p>"}),
            "c.txt": "From ein Müller".encode("utf-16"),
        }
    )

    blocks = extract(tmp_path, "a.eml", mail.as_bytes())

    assert [(block.text, block.page, block.heading_path) for block in blocks[2:]] == [
        ("Bericht Ü.pdf", None, ("Bericht Ü.pdf",)),
        ("Page one.", 1, ("Bericht Ü.pdf",)),
        ("Page two.", 2, ("Bericht Ü.pdf",)),
        ("a.docx", None, ("a.docx",)),
        ("From Word.", None, ("a.docx",)),
        ("b.epub", None, ("b.epub",)),
        ("Chapter", None, ("b.epub", "Chapter")),
        ("From a book.", None, ("b.epub", "Chapter")),
        ("c.txt", None, ("c.txt",)),
        ("From ein Müller", None, ("c.txt",)),
    ]


def test_attachments_that_cannot_be_read_are_named_with_the_reason(tmp_path: Path) -> None:
    mail = make_mail(
        attachments={
            "scan.pdf": make_drawing_pdf(),
            "locked.pdf": make_pdf(["x"], user_password="secret"),
            "broken.pdf": b"%PDF-1.4 and nothing else",
            "photo.png": PNG,
            "..\\..\\x/evil.exe": b"\x7fELF" + bytes(50),
            "empty.txt": b"",
            "wrong.pdf": b"text",
            "good.txt": b"This one is read.",
        }
    )

    blocks = extract(tmp_path, "a.eml", mail.as_bytes())

    assert texts(blocks)[2:] == [
        "good.txt",
        "This one is read.",
        "Attachments that were not read:\n"
        "- scan.pdf: The file holds images of text, no text\n"
        "- locked.pdf: The file is encrypted\n"
        "- broken.pdf: The file is damaged and cannot be read\n"
        "- photo.png: The file's format is not supported\n"
        "- evil.exe: The file's format is not supported\n"
        "- empty.txt: The file is empty\n"
        "- wrong.pdf: The file's content does not match its type",
    ]
    assert blocks[-1].kind is BlockKind.LIST


def test_a_bomb_among_the_attachments_ends_that_one_only(tmp_path: Path) -> None:
    mail = make_mail(attachments={"bomb.epub": make_epub({"a.xhtml": " " * 5_000_000}), "good.txt": b"Read."})

    assert texts(extract(tmp_path, "a.eml", mail.as_bytes()))[-2:] == [
        "Read.",
        "Attachments that were not read:\n- bomb.epub: The file is too large",
    ]


def test_pictures_that_the_text_shows_are_not_named(tmp_path: Path) -> None:
    mail = make_mail(None)
    mail.set_content("<p>Hello</p><img src='cid:logo'>", subtype="html")
    mail.add_related(PNG, "image", "png", cid="<logo>", filename="logo.png", disposition="inline")

    assert texts(parse("eml", tmp_path, mail.as_bytes()))[1:] == ["Hello"]


def test_mails_inside_a_mail_are_read_with_their_attachments(tmp_path: Path) -> None:
    inner = make_mail("Inner text.", attachments={"note.txt": b"A note."}, Cc="cc@example.com")
    outer = make_mail("See below.")
    outer.add_attachment(inner)
    outer.add_attachment(inner.as_bytes(), maintype="application", subtype="octet-stream", filename="old.eml")

    blocks = parse("eml", tmp_path, outer.as_bytes())

    for name in ("Angebot für Grüße", "old.eml"):
        inside = [(block.text, block.heading_path) for block in blocks if block.heading_path[:1] == (name,)]
        assert inside[0] == (name, (name,))
        assert "Cc: cc@example.com" in inside[1][0]
        assert inside[2:] == [
            ("Inner text.", (name,)),
            ("note.txt", (name, "note.txt")),
            ("A note.", (name, "note.txt")),
        ]


def test_mails_inside_mails_are_read_to_a_bounded_depth(tmp_path: Path) -> None:
    mail = make_mail("Depth 0.")
    for depth in range(1, 30):
        outer = make_mail(f"Depth {depth}.")
        outer.add_attachment(mail)
        mail = outer

    text = "\n".join(texts(extract(tmp_path, "a.eml", mail.as_bytes())))

    assert "Depth 29." in text
    assert "Depth 24." in text
    assert "Depth 23." not in text
    assert "The file is too large" in text


def test_no_more_attachments_are_read_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eml, "_MAX_ATTACHMENTS", 2)
    mail = make_mail(attachments={f"{number}.txt": b"Read." for number in range(3)})

    assert texts(parse("eml", tmp_path, mail.as_bytes()))[-1].endswith("- 2.txt: The file is too large")


def encrypted(kind: str) -> EmailMessage:
    mail = make_mail(None)
    mail["Content-Type"] = kind
    mail.set_payload("MIIB")
    return mail


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (encrypted("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"), EncryptedDocumentError),
        (encrypted("application/x-pkcs7-mime"), EncryptedDocumentError),
        (encrypted('multipart/encrypted; protocol="application/pgp-encrypted"'), EncryptedDocumentError),
        (make_mail("-----BEGIN PGP MESSAGE-----\n\nhQEMA"), EncryptedDocumentError),
        (encrypted("application/pkcs7-mime; smime-type=signed-data"), UnsupportedFormatError),
    ],
)
def test_encrypted_mails_say_so(data: EmailMessage, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        extract(tmp_path, "a.eml", data.as_bytes())


def test_an_encrypted_mail_inside_another_ends_that_one_only(tmp_path: Path) -> None:
    mail = make_mail("Can you read this?")
    mail.add_attachment(make_mail("-----BEGIN PGP MESSAGE-----"), filename="fwd.eml")

    assert "fwd.eml: The file is encrypted" in texts(parse("eml", tmp_path, mail.as_bytes()))[-1]


def test_a_signed_mail_is_read_without_its_signature(tmp_path: Path) -> None:
    text = b"--x\r\nContent-Type: text/plain\r\n\r\nSigned.\r\n"
    body = text + b"--x\r\nContent-Type: application/pgp-signature\r\n\r\nAB\r\n--x--"

    assert texts(parse("eml", tmp_path, raw_mail(body, "Content-Type: multipart/signed; boundary=x")))[1:] == [
        "Signed."
    ]


def test_a_text_that_is_no_mail(tmp_path: Path) -> None:
    with pytest.raises(TypeMismatchError):
        extract(tmp_path, "a.eml", "\nJust some text, without a header.")


@pytest.mark.parametrize(
    "mail",
    [
        raw_mail(b"x", "Content-Type: multipart/mixed"),
        raw_mail(b"--b\r\n\r\ncut", "Content-Type: multipart/mixed; boundary=b"),
        raw_mail(b"!!!", "Content-Type: text/plain", "Content-Transfer-Encoding: base64"),
        raw_mail(b"x", "Content-Type: ;;;=?", "Subject: " + "=?utf-8?q?" * 5000),
        raw_mail(b"--b\r\n" * 20_000, "Content-Type: multipart/mixed; boundary=b"),
        raw_mail(b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(500))),
    ],
    ids=["no boundary", "cut off", "bad base64", "odd headers", "empty parts", "deep"],
)
def test_broken_mails_are_read_as_far_as_they_go(mail: bytes, tmp_path: Path) -> None:
    assert texts(extract(tmp_path, "a.eml", mail))[0].startswith("From: a@example.com")
