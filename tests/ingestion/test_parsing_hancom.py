"""HWP and HWPX: what Hancom Office shows is in the text, once, in its order."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ingestion.parsing import ParsedDocument, ParseError, parse
from ingestion.parsing.filetypes import BY_EXTENSION
from ingestion.parsing.readers.hwp_container import _key, _random
from tests.ingestion import making
from tests.ingestion.making import CTRL_HEADER, LIST_HEADER, TABLE

NUMBERING, PARA_SHAPE, EQUATION = 23, 25, 88


def parsed(path: Path) -> ParsedDocument:
    return parse(path, BY_EXTENSION[path.suffix].content_type)


def lines(document: ParsedDocument) -> list[str]:
    return [line for line in document.text.split("\n") if line]


def headings(document: ParsedDocument) -> list[tuple[int, str]]:
    return [(heading.level, heading.text) for heading in document.headings]


def place(code: int) -> str:
    """Eight units in the text, for which a control has a record."""
    return chr(code) + "\0" * 6 + chr(code)


def control(kind: bytes, *inner: making.Records, level: int = 1, more: bytes = b"") -> making.Records:
    """A control's record, and the lists of paragraphs in it."""
    records = [(CTRL_HEADER, level, kind[::-1] + more)]
    for paragraphs in inner:
        records += [(LIST_HEADER, level + 1, struct.pack("<II", 1, 0)), *paragraphs]
    return records


def auto_number(number: int, after: str = "") -> making.Records:
    fields = struct.pack("<I4H", 3, number, 0, 0, ord(after or "\0"))
    return control(b"atno", level=3, more=fields)


def test_hwp_should_give_paragraphs_headings_and_tables(tmp_path: Path) -> None:
    tab = "\t" + "\0" * 6 + "\t"  # eight units, as all inline controls
    records = [
        *making.hwp_paragraph("휴가 규정", style=1),
        *making.hwp_paragraph(f"연차는{tab}15일이다."),
        *making.hwp_table([["구분", "일수"], ["연차", "15"]]),
        *making.hwp_paragraph("끝."),
        *making.hwp_table([["액자 안의 글"]]),
    ]
    document = parsed(making.hwp(tmp_path / "a.hwp", records))
    assert lines(document) == [
        "휴가 규정",
        "연차는\t15일이다.",
        "구분 | 일수",
        "연차 | 15",
        "끝.",
        "액자 안의 글",
    ]
    assert headings(document) == [(1, "휴가 규정")]
    assert len(document.tables) == 1


def test_hwp_with_a_password_should_be_named(tmp_path: Path) -> None:
    path = making.hwp(tmp_path / "a.hwp", making.hwp_paragraph("비밀"), flags=1 | 2)
    with pytest.raises(ParseError) as error:
        parsed(path)
    assert error.value.code == "encrypted"


def test_hwpx_should_give_paragraphs_headings_and_tables(tmp_path: Path) -> None:
    cell = "<hp:tc><hp:subList><hp:p><hp:run><hp:t>{}</hp:t></hp:run></hp:p></hp:subList></hp:tc>"
    section = (
        '<hs:sec xmlns:hs="s" xmlns:hp="p"><hp:p styleIDRef="3"><hp:run><hp:t>휴가</hp:t></hp:run></hp:p>'
        "<hp:p><hp:run><hp:t>연차는<hp:tab/>15일</hp:t></hp:run><hp:run><hp:tbl><hp:tr>"
        + cell.format("구분") + cell.format("일수") + "</hp:tr><hp:tr>"
        + cell.format("연차") + cell.format("15")
        + "</hp:tr></hp:tbl></hp:run></hp:p></hs:sec>"
    )  # fmt: skip
    parts = {
        "mimetype": "application/hwp+zip",
        "Contents/header.xml": '<h:head xmlns:h="h"><h:style id="3" name="개요 1"/></h:head>',
        "Contents/content.hpf": '<o:p xmlns:o="o"><o:title>규정집</o:title></o:p>',
        "Contents/section0.xml": section,
    }
    document = parsed(making.package(tmp_path / "a.hwpx", parts))
    assert lines(document) == ["휴가", "연차는\t15일", "구분 | 일수", "연차 | 15"]
    assert headings(document) == [(1, "휴가")]
    assert document.title == "규정집"


def test_hwp_notes_boxes_and_equations_should_stand_with_their_paragraph(tmp_path: Path) -> None:
    script = "a over b".encode("utf-16-le")
    text = f"면적은 {place(11)}이다{place(17)}{place(11)}{place(15)}{place(16)}."
    records = [
        *making.hwp_paragraph(text),
        *control(b"eqed"),
        (EQUATION, 2, struct.pack("<IH", 0, len(script) // 2) + script),
        *control(b"fn  ", [*making.hwp_paragraph(f"{place(18)} 각주 글", 2), *auto_number(1, ")")]),
        *control(b"gso ", making.hwp_paragraph("글상자", 2)),
        *control(b"tcmt", making.hwp_paragraph("확인할 것", 2)),
        *control(b"head", making.hwp_paragraph("문서 번호 417", 2)),
        *making.hwp_paragraph(place(16)),
        *control(b"head", making.hwp_paragraph("문서 번호 417", 2)),
    ]
    assert lines(parsed(making.hwp(tmp_path / "a.hwp", records))) == [
        "면적은 a over b이다.",
        "1) 각주 글",
        "Comment: 확인할 것",
        "글상자",
        "문서 번호 417",
    ]


def test_hwp_captions_and_merged_cells_should_be_kept(tmp_path: Path) -> None:
    def cell(row: int, column: int, text: str, rows: int = 1, columns: int = 1) -> making.Records:
        where = struct.pack("<IIHHHH", 1, 0, column, row, columns, rows)
        return [(LIST_HEADER, 2, where), *making.hwp_paragraph(text, 2)]

    caption = [*making.hwp_paragraph(f"표 {place(18)} 부품", 2), *auto_number(2)]
    records = [
        *making.hwp_paragraph(place(11)),
        *control(b"tbl ", caption),
        (TABLE, 2, struct.pack("<IHH", 0, 4, 3)),
        *(record for column, text in enumerate(["구분", "품명", "수량"]) for record in cell(0, column, text)),
        *cell(1, 0, "강철", rows=2),
        *cell(1, 1, "볼트"),
        *cell(1, 2, "4"),
        *cell(2, 1, "너트"),
        *cell(2, 2, "7"),
        *cell(3, 0, "합계", columns=2),
        *cell(3, 2, "11"),
    ]
    assert lines(parsed(making.hwp(tmp_path / "a.hwp", records))) == [
        *("표 2 부품", "구분 | 품명 | 수량", "강철 | 볼트 | 4", "강철 | 너트 | 7", "합계 |  | 11"),
    ]


def test_hwp_numbers_should_be_counted(tmp_path: Path) -> None:
    def head(text: str, form: int) -> bytes:
        return struct.pack("<IHHIH", form << 5, 0, 0, 0, len(text)) + text.encode("utf-16-le")

    def shape(kind: int, level: int, numbering: int) -> tuple[int, int, bytes]:
        return (PARA_SHAPE, 0, struct.pack("<I26xH22x", kind << 23 | level << 25, numbering))

    heads = [head("제^1장", 0), head("^2.", 8), *[head("", 0)] * 5]
    info = [
        shape(0, 0, 0),
        shape(1, 0, 0),
        shape(1, 1, 0),
        shape(2, 0, 2),
        (NUMBERING, 0, b"".join(heads) + struct.pack("<H7I", 1, *[1] * 7)),
        (NUMBERING, 0, b"".join([head("(^1)", 0), *[head("", 0)] * 6]) + struct.pack("<H7I", 1, 5, *[1] * 6)),
    ]
    section = control(b"secd", more=bytes(14) + struct.pack("<H", 1) + bytes(8))
    records = [
        *making.hwp_paragraph(f"{place(2)}총칙", style=1, shape=1),
        *section,
        *making.hwp_paragraph("목적", shape=2),
        *making.hwp_paragraph("정의", shape=2),
        *making.hwp_paragraph("본문"),
        *making.hwp_paragraph("항목", shape=3),
        *making.hwp_paragraph("휴가", style=1, shape=1),
        *making.hwp_paragraph("일수", shape=2),
    ]
    document = parsed(making.hwp(tmp_path / "a.hwp", records, info=info))
    assert lines(document) == [
        *("제1장 총칙", "가. 목적", "나. 정의", "본문", "(5) 항목", "제2장 휴가", "가. 일수"),
    ]
    assert headings(document) == [(1, "제1장 총칙"), (1, "제2장 휴가")]


def test_hwp_for_distribution_should_open_without_a_password(tmp_path: Path) -> None:
    block = struct.pack("<I", 20261130) + bytes(range(252))
    body = making.deflated(making.hwp_paragraph("배포용 문서"))
    encryptor = Cipher(algorithms.AES(_key(block)), modes.ECB()).encryptor()
    stream = (
        struct.pack("<I", 28 | 256 << 20)
        + block
        + encryptor.update(body.ljust(-(-len(body) // 16) * 16, b"\0"))
    )
    streams = {
        "DocInfo": making.deflated([]),
        "BodyText/Section0": making.deflated(making.hwp_paragraph("다른 프로그램은 열 수 없습니다")),
        "ViewText/Section0": stream,
        "FileHeader": b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000300, 5),
    }
    assert parsed(making.ole(tmp_path / "a.hwp", streams)).text == "배포용 문서"


def test_the_generator_of_the_key_should_be_that_of_windows() -> None:
    state, numbers = 1, []
    for _ in range(4):
        state, number = _random(state)
        numbers.append(number)
    assert numbers == [41, 18467, 6334, 26500]


def hwpx(path: Path, body: str, head: str = "") -> Path:
    parts = {
        "mimetype": "application/hwp+zip",
        "Contents/header.xml": f'<h:head xmlns:h="h">{head}</h:head>',
        "Contents/content.hpf": "<o:p xmlns:o='o'/>",
        "Contents/section0.xml": f'<hs:sec xmlns:hs="s" xmlns:hp="p">{body}</hs:sec>',
    }
    return making.package(path, parts)


def p(content: str, shape: int = 0) -> str:
    inner = content if content.startswith("<") else f"<hp:t>{content}</hp:t>"
    return f'<hp:p paraPrIDRef="{shape}"><hp:run>{inner}</hp:run></hp:p>'


def test_hwpx_should_give_notes_boxes_equations_and_captions_once(tmp_path: Path) -> None:
    def inner(text: str) -> str:
        return f"<hp:subList>{p(text)}</hp:subList>"

    body = p(
        "<hp:t>면적은 </hp:t><hp:equation><hp:script>a over b</hp:script></hp:equation><hp:t>이다.</hp:t>"
        f"<hp:ctrl><hp:footNote>{inner('각주 글')}</hp:footNote></hp:ctrl>"
        f"<hp:ctrl><hp:header>{inner('문서 번호 417')}</hp:header></hp:ctrl>"
        '<hp:ctrl><hp:fieldBegin type="MEMO"><hp:parameters><hp:stringParam>x</hp:stringParam>'
        f"</hp:parameters>{inner('확인할 것')}</hp:fieldBegin></hp:ctrl>"
        f"<hp:rect><hp:caption>{inner('그림 1')}</hp:caption>"
        f"<hp:drawText>{inner('글상자')}</hp:drawText></hp:rect>"
    )
    body += p(f"<hp:ctrl><hp:header>{inner('문서 번호 417')}</hp:header></hp:ctrl>")
    body += p("<hp:t>남은 <hp:deleteBegin/>지운 <hp:deleteEnd/>글</hp:t>")
    body += p('<hp:t>표 </hp:t><hp:ctrl><hp:autoNum num="2" numType="TABLE"/></hp:ctrl><hp:t> 부품</hp:t>')
    assert lines(parsed(hwpx(tmp_path / "a.hwpx", body))) == [
        *("면적은 a over b이다.", "각주 글", "Comment: 확인할 것", "문서 번호 417", "그림 1", "글상자"),
        *("남은 글", "표 2 부품"),
    ]


def test_hwpx_should_count_numbers_and_show_merged_cells(tmp_path: Path) -> None:
    head = (
        '<h:numbering id="1"><h:paraHead level="1" numFormat="DIGIT" start="1">제^1조</h:paraHead>'
        '<h:paraHead level="2" numFormat="HANGUL_SYLLABLE" start="1">^2)</h:paraHead></h:numbering>'
        '<h:paraPr id="1"><h:heading type="OUTLINE" idRef="0" level="0"/></h:paraPr>'
        '<h:paraPr id="2"><h:heading type="NUMBER" idRef="1" level="1"/></h:paraPr>'
        '<h:paraPr id="3"><h:heading type="BULLET" idRef="1" level="0"/></h:paraPr>'
        '<h:bullet id="1" char="x"/>'
    )

    def cell(row: int, column: int, text: str, rows: int = 1) -> str:
        where = (
            f'<hp:cellAddr rowAddr="{row}" colAddr="{column}"/><hp:cellSpan rowSpan="{rows}" colSpan="1"/>'
        )
        return f"<hp:tc><hp:subList>{p(text)}</hp:subList>{where}</hp:tc>"

    rows = [[cell(0, 0, "강철", 2), cell(0, 1, "볼트")], [cell(1, 1, "너트")]]
    table = "".join(f"<hp:tr>{''.join(row)}</hp:tr>" for row in rows)
    body = p("목적", 1) + p("하나", 2) + p("둘", 2) + p("정의", 1) + p("하나", 2) + p("점", 3)
    document = parsed(hwpx(tmp_path / "a.hwpx", f"{body}{p(f'<hp:tbl>{table}</hp:tbl>')}", head))
    assert lines(document) == [
        *("제1조 목적", "가) 하나", "나) 둘", "제2조 정의", "가) 하나", "• 점", "강철 | 볼트", "강철 | 너트"),
    ]
