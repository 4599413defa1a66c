from __future__ import annotations

from searchapp.facets import Found, count_facets


def found(document: str, **fields: str) -> Found:
    values = {"library": "l1", "library_name": "One", "type": "pdf", "language": "en", "year": ""} | fields
    return Found(document, **values)


def counts(facets: object, name: str) -> dict[str, int]:
    return {f.value: f.count for f in facets[name]}  # type: ignore[index]


def test_each_document_should_count_once() -> None:
    assert counts(count_facets([found("a"), found("a"), found("b")], {}), "type") == {"pdf": 2}


def test_a_field_should_be_counted_under_the_choices_in_the_others() -> None:
    documents = [found("a"), found("b", type="txt"), found("c", type="txt", language="ko")]
    facets = count_facets(documents, {"type": ["txt"]})
    assert counts(facets, "type") == {"txt": 2, "pdf": 1}
    assert counts(facets, "language") == {"en": 1, "ko": 1}


def test_unknown_values_should_not_be_offered() -> None:
    assert counts(count_facets([found("a", language="")], {}), "language") == {}


def test_libraries_should_be_shown_by_name() -> None:
    facet = count_facets([found("a")], {"library": ["l1"]})["library"][0]
    assert (facet.value, facet.label, facet.selected) == ("l1", "One", True)
