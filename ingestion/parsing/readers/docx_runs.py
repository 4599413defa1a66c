"""The text of a Word paragraph: its runs, fields' results, insertions; what is deleted is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from ingestion.parsing.readers import symbols
from ingestion.parsing.readers.docx_math import M, linear
from ingestion.parsing.readers.docx_styles import VAL, W, number, switched_on, value
from ingestion.parsing.readers.ooxml import ALTERNATIVES, A, C, R, branch, drawn_text

V = "{urn:schemas-microsoft-com:vml}"
OFFICE = "{urn:schemas-microsoft-com:office:office}"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
NEW_CHART = "{http://schemas.microsoft.com/office/drawing/2014/chartex}chart"
CHARACTERS = {
    f"{W}tab": "\t",
    f"{W}ptab": "\t",
    f"{W}br": "\n",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "-",
}
# Deleted text, the codes of fields, properties, the readings over East Asian characters.
LEFT_OUT = {
    f"{W}{name}"
    for name in (
        "del",
        "moveFrom",
        "delText",
        "instrText",
        "pPr",
        "rPr",
        "sdtPr",
        "sdtEndPr",
        "rt",
        "fldData",
    )
}
RUN, FIELD, BOX = f"{W}r", f"{W}fldChar", f"{W}txbxContent"
TEXT = {FIELD, f"{W}t", f"{W}sym", f"{M}oMath", *CHARACTERS}
PRIVATE = re.compile("[\uf000-\uf0ff]")
TICKED, UNTICKED = "☒", "☐"
HIDDEN = "Text that is hidden in Word is included."


@dataclass(slots=True)
class Line:
    """What a paragraph holds: its text, the remarks and drawings that belong to it, its text boxes."""

    text: str = ""
    asides: list[str] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)


class Runs:
    """Reads paragraphs. `cite` gives the text of a note or comment, `draw` of a part that is drawn."""

    def __init__(
        self, cite: Callable[[str, str], str], draw: Callable[[str], str], warn: Callable[[str], None]
    ) -> None:
        self._cite = cite
        self._draw = draw
        self._warn = warn

    def read(self, paragraph: Element) -> Line:
        line = Line()
        # For each open field, whether its result has begun; a field that never ends does so with the line.
        fields: list[bool] = []
        line.text = "".join(self._walk(paragraph, line, fields, ""))
        return line

    def _walk(self, element: Element, line: Line, fields: list[bool], font: str) -> Iterator[str]:
        for child in element:
            tag = child.tag
            if tag in LEFT_OUT:
                continue
            if tag in TEXT:
                yield _own_text(child, fields, font)
            elif tag == BOX:
                line.boxes.append(child)
            elif aside := self._aside(child):
                line.asides.append(aside)
            else:
                inner = branch(child) if tag == ALTERNATIVES else child
                if inner is not None:
                    yield from self._walk(inner, line, fields, self._font(child) if tag == RUN else font)

    def _font(self, run: Element) -> str:
        """The run's font, where it has one of its own."""
        properties = run.find(f"{W}rPr")
        if properties is None:
            return ""
        if switched_on(properties, "vanish"):
            self._warn(HIDDEN)
        fonts = properties.find(f"{W}rFonts")
        return fonts.get(f"{W}ascii", "") or fonts.get(f"{W}hAnsi", "") if fonts is not None else ""

    def _aside(self, element: Element) -> str:
        """The text of what stands beside the line: notes, comments, diagrams, charts, drawn text."""
        tag = element.tag
        if tag in {f"{W}footnoteReference", f"{W}endnoteReference", f"{W}commentReference"}:
            return self._cite(tag.removeprefix(W).removesuffix("Reference"), element.get(f"{W}id", ""))
        if tag == DIAGRAM:
            return self._draw(element.get(f"{R}dm", ""))
        if tag in {f"{C}chart", NEW_CHART}:
            return self._draw(element.get(f"{R}id", ""))
        if tag == f"{A}p":
            return drawn_text(element)
        if tag == f"{V}textpath":
            return element.get("string", "")
        if tag == f"{OFFICE}OLEObject":
            kind = element.get("ProgID", "").split(".")[0] or "another program"
            self._warn(f"An embedded object of {kind} is not read.")
        return ""


def _own_text(element: Element, fields: list[bool], font: str) -> str:
    """The text of an element of TEXT. Fields begin and end here; only their results are shown."""
    if element.tag == FIELD:
        return _turn(element, fields)
    if not all(fields):
        return ""
    if element.tag == f"{W}t":
        text = element.text or ""
        return symbols.shown(text, font) if PRIVATE.search(text) else text
    if element.tag == f"{W}sym":
        return symbols.of_code(element.get(f"{W}char", ""), element.get(f"{W}font", ""))
    return CHARACTERS.get(element.tag) or linear(element)


def _turn(mark: Element, fields: list[bool]) -> str:
    """Begin a field, begin its result, or end it. A field of a form gives its state as text."""
    kind = mark.get(f"{W}fldCharType", "")
    text = ""
    if kind == "begin":
        text = _form_value(mark.find(f"{W}ffData")) if all(fields) else ""
        fields.append(False)
    elif kind == "separate" and fields:
        fields[-1] = True
    elif kind == "end" and fields:
        fields.pop()
    return text


def _form_value(form: Element | None) -> str:
    box = form.find(f"{W}checkBox") if form is not None else None
    if box is not None:
        state = "checked" if box.find(f"{W}checked") is not None else "default"
        return TICKED if switched_on(box, state) else UNTICKED
    choices = form.find(f"{W}ddList") if form is not None else None
    if choices is not None:
        entries = [entry.get(VAL, "") for entry in choices.findall(f"{W}listEntry")]
        chosen = number(value(choices, "result") or value(choices, "default") or "0") or 0
        return entries[chosen] if 0 <= chosen < len(entries) else ""
    return ""
