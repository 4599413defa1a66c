"""Word's equations (OMML) on a line: fractions with a slash, powers with ^, indices with _."""

from __future__ import annotations

from xml.etree.ElementTree import Element

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
PROPERTIES = {
    f"{M}{name}Pr" for name in ("", "f", "r", "d", "sSup", "sSub", "sSubSup", "nary", "rad", "acc", "ctrl")
}


def linear(element: Element) -> str:
    """An equation's text. Structures that are not known give their parts one after the other."""
    kind = element.tag.removeprefix(M)
    if kind == "t":
        return element.text or ""
    if element.tag in PROPERTIES:
        return ""
    if kind == "d":
        return _in_brackets(element)
    if kind == "rad":
        return f"{_part(element, 'deg')}√{_grouped(_part(element, 'e'))}"
    if kind == "nary":
        sign = _property(element, "chr", "∫")
        return f"{sign}{_raised(element)} {_part(element, 'e')}"
    if kind == "f":
        return f"{_grouped(_part(element, 'num'))}/{_grouped(_part(element, 'den'))}"
    if kind in {"sSup", "sSub", "sSubSup"}:
        return _part(element, "e") + _raised(element)
    if kind == "mr":
        return " ".join(linear(cell) for cell in element) + "; "
    return "".join(linear(child) for child in element)


def _raised(element: Element) -> str:
    sub, sup = _part(element, "sub"), _part(element, "sup")
    return (f"_{_grouped(sub)}" if sub else "") + (f"^{_grouped(sup)}" if sup else "")


def _in_brackets(element: Element) -> str:
    first, last = _property(element, "begChr", "("), _property(element, "endChr", ")")
    return first + ", ".join(linear(part) for part in element.findall(f"{M}e")) + last


def _part(element: Element, name: str) -> str:
    part = element.find(f"{M}{name}")
    return linear(part).strip() if part is not None else ""


def _grouped(text: str) -> str:
    return text if len(text) <= 1 or text.replace(".", "").isalnum() else f"({text})"


def _property(element: Element, name: str, default: str) -> str:
    found = element.find(f"{M}{element.tag.removeprefix(M)}Pr/{M}{name}")
    return found.get(f"{M}val", "") if found is not None else default
