"""Mails whole: every text part, mails in mails, attachments, and what Outlook writes."""

from __future__ import annotations

import struct
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import compressed_rtf
import pytest

from ingestion.parsing import ParsedDocument, ParseError, ParseLimits, parse
from ingestion.parsing.filetypes import EML, MSG
from tests.ingestion import making


def read(tmp_path: Path, content: bytes, limits: ParseLimits | None = None) -> ParsedDocument:
    path = tmp_path / "a.eml"
    path.write_bytes(content)
    return parse(path, EML.content_type, limits=limits or ParseLimits())


def mail(subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"] = subject, "Kim <kim@example.org>"
    message.set_content(text)
    return message


def test_all_text_parts_should_be_read_in_their_order(tmp_path: Path) -> None:
    message = MIMEMultipart("mixed")
    for part in (
        MIMEText("Before the picture"),
        MIMEText("<p>In <b>between</b></p>", "html"),
        MIMEText("After"),
    ):
        message.attach(part)
    text = read(tmp_path, message.as_bytes()).text
    assert text == "Before the picture\n\nIn between\n\nAfter"


def test_one_of_two_alternatives_should_be_read(tmp_path: Path) -> None:
    message = mail("Offer", "The price is 12 euros for each of them.")
    message.add_alternative("<p>The price is <b>12</b> euros for each of them.</p>", subtype="html")
    assert read(tmp_path, message.as_bytes()).text.count("price") == 1
    stub = mail("Offer", "See the HTML.")
    stub.add_alternative("BEGIN:VCALENDAR", subtype="calendar")
    stub.add_alternative("<p>" + "The price of this part is 12 euros. " * 5 + "</p>", subtype="html")
    assert "price of this part" in read(tmp_path, stub.as_bytes()).text


def test_forwarded_mails_should_be_read_with_their_headers(tmp_path: Path) -> None:
    message = mail("Fwd", "See below.")
    message.add_attachment(mail("Seal kit", "Order 88-QF."))
    document = read(tmp_path, message.as_bytes())
    assert "Subject: Seal kit" in document.text and "Order 88-QF." in document.text
    assert [heading.text for heading in document.headings] == ["Seal kit"]


def test_mails_too_deep_in_others_should_be_named(tmp_path: Path) -> None:
    message = mail("Level 0", "text")
    for level in range(1, 9):
        outer = mail(f"Level {level}", "text")
        outer.add_attachment(message)
        message = outer
    document = read(tmp_path, message.as_bytes())
    assert "Subject: Level 3" in document.text and "Subject: Level 1" not in document.text
    assert document.warnings == ("Level 2 was not read: it lies too deep in other mails.",)
    assert "[Level 2 was not read" in document.text


def test_attachments_should_be_found_under_their_names(tmp_path: Path) -> None:
    message = mail("Re: order", "See the files.")
    for name, data in (("plan.csv", b"Part;Weeks\nP-1;3\nP-2;4"), ("notes.txt", b"Hoist load test 3.2 t")):
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    document = read(tmp_path, message.as_bytes())
    assert "Attachments: plan.csv, notes.txt, logo.png" in document.text
    assert [heading.text for heading in document.headings] == [
        'plan.csv in "Re: order"',
        'notes.txt in "Re: order"',
    ]
    assert "Hoist load test 3.2 t" in document.text
    table = document.tables[0]
    assert document.text[table.start : table.header_end] == "Part | Weeks"
    assert document.warnings == ()


def test_attached_pdf_should_be_read(tmp_path: Path) -> None:
    message = mail("Invoice", "See the file.")
    data = making.pdf(tmp_path / "a.pdf", [["Tax reference 71-450-QX"]]).read_bytes()
    message.add_attachment(data, maintype="application", subtype="pdf", filename="invoice.pdf")
    assert "Tax reference 71-450-QX" in read(tmp_path, message.as_bytes()).text


def test_files_in_attached_archives_should_be_read(tmp_path: Path) -> None:
    making.package(tmp_path / "a.zip", {"in/notes.txt": "Hoist load test"})
    message = mail("Re", "See.")
    data = (tmp_path / "a.zip").read_bytes()
    message.add_attachment(data, maintype="application", subtype="zip", filename="all.zip")
    document = read(tmp_path, message.as_bytes())
    assert [heading.text for heading in document.headings] == ['in/notes.txt in "all.zip"']


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (ParseLimits(attachments=1), 'b.txt in "Re" was not read: only 1 attachments of a mail are read.'),
        (ParseLimits(attachment_bytes=1 << 20), 'a.txt in "Re" was not read: it is larger than 1 MB.'),
    ],
)
def test_attachments_past_the_limits_should_be_named(
    tmp_path: Path, limits: ParseLimits, reason: str
) -> None:
    message = mail("Re", "See.")
    for name, size in (("a.txt", 2 << 20), ("b.txt", 10)):
        message.add_attachment(b"x " * size, maintype="application", subtype="x", filename=name)
    document = read(tmp_path, message.as_bytes(), limits)
    assert document.warnings == (reason,)
    assert f"[{reason[:-1]}.]" in document.text


def test_damaged_attachment_should_not_take_the_mail_with_it(tmp_path: Path) -> None:
    message = mail("Re", "The text of the mail.")
    message.add_attachment(b"PK\x03\x04 broken", maintype="a", subtype="b", filename="a.docx")
    document = read(tmp_path, message.as_bytes())
    assert "The text of the mail." in document.text
    assert document.warnings == ('a.docx in "Re" was not read: it is damaged or incomplete.',)


def test_mail_should_be_read_though_its_attachment_takes_all_memory(tmp_path: Path) -> None:
    message = mail("Re", "The text of the mail.")
    content = b"[" + b'{"a": 1},' * 1_200_000 + b"1]"
    message.add_attachment(content, maintype="a", subtype="b", filename="a.json")
    document = read(tmp_path, message.as_bytes(), ParseLimits(memory=160 << 20))
    assert "The text of the mail." in document.text
    assert "the attachments take too much time or memory" in document.warnings[0]


@pytest.mark.parametrize("charset", ["utf-8", "euc-kr", "cp949"])
def test_raw_bytes_in_headers_should_be_decoded(tmp_path: Path, charset: str) -> None:
    head = "Subject: 출장비 정산 안내\r\nFrom: 김담당 <kim@example.org>\r\n".encode(charset)
    body = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + "본문".encode(charset)
    document = read(tmp_path, head + body)
    assert document.title == "출장비 정산 안내"
    assert "From: 김담당 <kim@example.org>" in document.text


def test_latin_1_in_headers_and_names_should_be_decoded(tmp_path: Path) -> None:
    head = "Subject: Angebot für Köln\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nText"
    assert read(tmp_path, head.encode("latin-1")).title == "Angebot für Köln"
    cut = b"Subject: =?utf-8?b?7Zy06rA=?= =?utf-8?b?gCDslYjrgrQ=?=\r\n\r\nText"  # a character in two words
    assert read(tmp_path, cut).title == "휴가 안내"


def test_winmail_dat_should_give_its_text_and_files(tmp_path: Path) -> None:
    def attribute(level: int, kind: int, data: bytes) -> bytes:
        return struct.pack("<BII", level, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    packed = struct.pack("<IH", 0x223E9F78, 1)
    packed += attribute(1, 0x00089006, struct.pack("<I", 0x10000))
    packed += attribute(1, 0x0002800C, b"Text from Outlook\0")
    packed += attribute(2, 0x00069002, bytes(14))
    packed += attribute(2, 0x00018010, b"notes.txt\0") + attribute(2, 0x0006800F, b"Hoist load test")
    message = mail("Re", "")
    message.add_attachment(packed, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    text = read(tmp_path, message.as_bytes()).text
    assert "Text from Outlook" in text
    assert 'notes.txt in "Re"\n\nHoist load test' in text


def property_stream(header: int, numbers: dict[int, int]) -> bytes:
    rows = (struct.pack("<IIQ", tag << 16 | 3, 6, value) for tag, value in numbers.items())
    return bytes(header) + b"".join(rows)


def msg(path: Path, streams: dict[str, bytes], numbers: dict[int, int] | None = None) -> ParsedDocument:
    facts = {"__properties_version1.0": property_stream(32, numbers or {})}
    making.ole(path, {**facts, **{f"__substg1.0_{name}": data for name, data in streams.items()}})
    return parse(path, MSG.content_type)


def test_msg_should_give_headers_and_text(tmp_path: Path) -> None:
    streams = {"0037001F": "휴가 안내".encode("utf-16-le"), "0C1A001F": "Kim".encode("utf-16-le")}
    document = msg(tmp_path / "a.msg", {**streams, "1000001F": "연차는 15일이다.".encode("utf-16-le")})
    assert document.title == "휴가 안내"
    assert "From: Kim" in document.text and "연차는 15일이다." in document.text


def test_msg_should_read_html_in_its_code_page_and_rtf(tmp_path: Path) -> None:
    html = "<html><body><p>Grüße, Привет</p></body></html>".encode()
    assert "Grüße, Привет" in msg(tmp_path / "a.msg", {"10130102": html}, {0x3FDE: 65001}).text
    html = "<p>연차는 15일이다.</p>".encode("cp949")
    assert "연차는 15일이다." in msg(tmp_path / "b.msg", {"10130102": html}, {0x3FDE: 949}).text
    rtf = compressed_rtf.compress(rb"{\rtf1\ansi\ansicpg1252 Liefertermin f\'fcr KW 23\par}")
    assert "Liefertermin für KW 23" in msg(tmp_path / "c.msg", {"10090102": rtf}).text


def test_msg_should_read_attachments(tmp_path: Path) -> None:
    file = "__attach_version1.0_#00000000/"
    streams = {
        "__properties_version1.0": property_stream(32, {}),
        "__substg1.0_0037001F": "Re: order".encode("utf-16-le"),
        f"{file}__properties_version1.0": property_stream(8, {}),
        f"{file}__substg1.0_3707001F": "notes.txt".encode("utf-16-le"),
        f"{file}__substg1.0_37010102": b"Hoist load test".ljust(4100),
    }
    making.ole(tmp_path / "a.msg", streams)
    document = parse(tmp_path / "a.msg", MSG.content_type)
    assert "Attachments: notes.txt" in document.text
    assert 'notes.txt in "Re: order"\n\nHoist load test' in document.text


def test_mail_of_too_many_parts_should_be_refused(tmp_path: Path) -> None:
    head = b"Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    with pytest.raises(ParseError) as error:
        read(tmp_path, head + b"--b\r\n\r\nx\r\n" * 100_000)
    assert error.value.code == "too_complex"
