"""Text in any encoding."""

from pathlib import Path

import pytest

from chatsphere.knowledge.extraction.charsets import guess_charset
from chatsphere.knowledge.extraction.encodings import find_encoding, looks_like_text, open_text

GERMAN = "Die schöne Frau hat einen Kaffee für 15,50 € getrunken – köstlich."


def decode(folder: Path, data: bytes, declared: str | None = None) -> str:
    file = folder / "text"
    file.write_bytes(data)
    with open_text(file, declared) as stream:
        return stream.read()


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "cp1252"])
def test_german(codec: str, tmp_path: Path) -> None:
    assert decode(tmp_path, GERMAN.encode(codec)) == GERMAN


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp1252", "L'été était très chaud cette année. J'ai acheté un café au lait."),
        ("cp1252", "El niño comió paella. La señora dijo: ¡Qué rico!"),
        ("cp1252", "Kvinnan åt köttbullar. Blåbærsyltetøy på brød."),
        ("cp1252", "It’s “fine” – really…"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy."),
        ("cp1250", "Mężczyzna powiedział, że już nie może dłużej czekać na pociąg."),
        ("cp1251", "Привет, это простой текст на русском языке."),
        ("koi8_u", "Привет, это простой текст на русском языке."),
        ("cp1253", "Αυτό είναι ένα δοκιμαστικό έγγραφο στα ελληνικά."),
        ("cp1254", "Türkçe bir deneme metni, İstanbul şehrinde yağmur yağıyor."),
        ("cp1256", "مرحبا بالعالم، هذا نص عربي للتجربة."),
        ("cp932", "名前,年齢\n佐藤太郎,30\n東京,大阪"),
        ("cp932", "これは日本語のテスト文書です。"),
        ("euc_jp", "これは日本語のテスト文書です。"),
        ("cp949", "이것은 인코딩 감지를 위한 테스트 문서입니다."),
        ("gb18030", "这是一个测试文件，用于编码检测。"),
        ("big5", "這是一個測試文件，用於編碼檢測。"),
    ],
)
def test_legacy_encodings_are_found_without_a_declaration(codec: str, text: str, tmp_path: Path) -> None:
    assert decode(tmp_path, text.encode(codec)) == text


LANGUAGES = {
    "de": GERMAN,
    "cs": "Příliš žluťoučký kůň úpěl ďábelské ódy. Dnes je krásný den a svítí sluníčko.",
    "pl": "Mężczyzna powiedział, że już nie może dłużej czekać na pociąg do Łodzi.",
    "ru": "Привет, это простой текст на русском языке. Москва является столицей.",
    "he": "שלום עולם, זהו טקסט לדוגמה בעברית לבדיקת הקידוד",
    "ar": "مرحبا بالعالم، هذا نص عربي للتجربة وهو يختبر الترميز",
    "th": "สวัสดีครับ นี่คือข้อความทดสอบภาษาไทย",
    "ja": "これは日本語のテスト文書です。東京都と大阪府の名前を含みます。",
    "zh": "这是一个测试文件，用于编码检测。中华人民共和国的首都是北京。",
    "tw": "這是一個測試文件，用於編碼檢測。臺灣的首都是臺北市，人口很多。",
    "ko": "이것은 인코딩 감지를 위한 테스트 문서입니다. 대한민국의 수도는 서울이다.",
    "emoji": "Hello 😀 world, these are 👍 emojis",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("times", [1, 50])
def test_wide_unicode_without_a_mark(language: str, codec: str, times: int, tmp_path: Path) -> None:
    text = "\n".join([LANGUAGES[language]] * times)

    assert decode(tmp_path, text.encode(codec)) == text
    assert looks_like_text(text.encode(codec))


@pytest.mark.parametrize(
    ("language", "codec"),
    [
        ("pl", "iso8859_2"),
        ("cs", "iso8859_2"),
        ("ru", "iso8859_5"),
        ("ru", "mac_cyrillic"),
        ("ru", "cp866"),
        ("he", "iso8859_8"),
        ("ar", "iso8859_6"),
        ("ja", "iso2022_jp"),
        ("zh", "gbk"),
    ],
)
def test_standards_are_told_from_windows_sets(language: str, codec: str, tmp_path: Path) -> None:
    assert decode(tmp_path, LANGUAGES[language].encode(codec)) == LANGUAGES[language]


@pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"\x00\x01\x02\x03" * 100, b"\x7fELF\x02\x01\x01" + bytes(57)])
def test_binary_data_is_no_text(data: bytes) -> None:
    assert not looks_like_text(data)


def test_utf8_wins_over_a_false_declaration(tmp_path: Path) -> None:
    assert decode(tmp_path, GERMAN.encode(), "iso-8859-1") == GERMAN


def test_a_declaration_decides_between_single_byte_sets(tmp_path: Path) -> None:
    assert decode(tmp_path, "кот".encode("iso8859_5"), "ISO-8859-5") == "кот"


def test_latin1_on_the_web_means_cp1252(tmp_path: Path) -> None:
    assert decode(tmp_path, "5 €".encode("cp1252"), "iso-8859-1") == "5 €"


@pytest.mark.parametrize("declared", ["utf-7", "rot13", "base64", "unicode_escape", "nonsense", "utf-16", "\0", ""])
def test_a_useless_or_dangerous_declaration_is_ignored(declared: str, tmp_path: Path) -> None:
    assert decode(tmp_path, GERMAN.encode("cp1252"), declared) == GERMAN


def test_the_telling_bytes_may_stand_far_behind(tmp_path: Path) -> None:
    text = "plain ascii line\n" * 40_000 + GERMAN

    assert decode(tmp_path, text.encode("cp1252")) == text


def test_a_sample_that_cuts_a_character_still_decodes() -> None:
    data = ("東京都と大阪府の名前です。" * 100).encode("cp932")

    assert {guess_charset(data[:length]) for length in range(200, 210)} == {"cp932"}


def test_undecodable_bytes_are_replaced(tmp_path: Path) -> None:
    assert decode(tmp_path, b"\xff\xfea\x00b\x00\x00\xd8") == "ab\ufffd"


def test_ascii_is_utf8(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_bytes(b"plain")

    assert find_encoding(file) == "utf-8"
