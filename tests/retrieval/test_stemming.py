from __future__ import annotations

import pytest

from retrieval.lexical import Lexical, average_length, query_terms
from retrieval.stemming import STEMMED, language_of
from retrieval.types import Passage

GERMAN = (
    "Mitarbeiter können den Urlaub bis zum Ende des Jahres nehmen. Für die Genehmigung ist der Leiter "
    "zuständig, und nicht genommene Tage werden in das nächste Jahr übertragen, wenn es nicht anders geht."
)
FRENCH = (
    "Les employés peuvent prendre leurs congés jusqu'à la fin de l'année. La demande est faite par écrit au "
    "responsable du service, et les jours qui ne sont pas pris sont perdus, sauf dans des cas particuliers."
)
ENGLISH = (
    "Employees may take their leave until the end of the year. The request is made in writing to the head of "
    "the department, and days that are not taken are lost, except in particular cases."
)
PORTUGUESE = (
    "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de "
    "consciência, devem agir uns para com os outros em espírito de fraternidade."
)
POLISH = (
    "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni "
    "rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa."
)


def terms(text: str, *languages: str) -> set[int]:
    """Terms of a query."""
    return set(query_terms(text, languages).ids.tolist())


def passage_terms(text: str, language: str) -> set[int]:
    (vector,) = Lexical().passages([Passage(text, language=language)])
    return set(vector.indices.tolist())


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("de", "die Häuser", "des Hauses"),
        ("de", "Vertragskündigungen", "der Vertragskündigung"),
        ("de", "Straße", "für die Strasse"),
        ("fr", "les congés annuels", "le congé annuel"),
        ("fr", "ÉLÈVES", "eleve"),
        ("es", "las canciones también", "la canción"),
        ("it", "i contratti", "il contratto"),
        ("nl", "de boeken", "het boek"),
        ("pt", "as reuniões não", "a reuniões"),
        ("sv", "bilarna", "på bilar"),
        ("ru", "договоров", "договорами"),
    ],
)
def test_forms_of_a_word_should_give_the_same_terms_in_its_language(
    language: str, one: str, other: str
) -> None:
    found = passage_terms(one, language)
    assert found == passage_terms(other, language) != set()


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Wie kann ich die Häuser der Firma kaufen", "de"),
        ("how can I buy the houses of the company", "en"),
        ("comment acheter les maisons de la société", "fr"),
    ],
)
def test_question_should_be_stemmed_by_the_language_of_its_stop_words(question: str, language: str) -> None:
    assert terms(question, "en", "de", "fr") == terms(question, language) != set()
    assert query_terms(question, ["en", "de", "fr"]).languages == (language,)


@pytest.mark.parametrize(
    ("query", "language"),
    [
        *(("die casting", "de"), ("hard hat", "de"), ("war", "de"), ("door hinge", "nl")),
        *(("door hinge over water", "nl"), ("care plan", "ro"), ("volt meter", "hu")),
    ],
)
def test_word_that_is_a_stop_word_elsewhere_should_still_be_found(query: str, language: str) -> None:
    """One stop word is no evidence that a query is in a language."""
    assert terms(query, "en", language) >= passage_terms(query, "en") != set()


def test_stop_words_of_a_language_should_be_dropped_where_a_query_is_in_it() -> None:
    assert terms("was ist die Regel", "en", "de") == passage_terms("Regel", "de")
    assert terms("what is the die", "en", "de") == passage_terms("die", "en")


def test_key_words_should_find_passages_of_every_language_that_is_searched() -> None:
    assert passage_terms("der Häuser", "de") <= terms("Hauses", "en", "de")
    assert passage_terms("running dogs", "en") <= terms("dogs run", "en", "de")


def test_query_should_be_analysed_by_what_is_searched_alone() -> None:
    assert terms("houses Häuser", "en") == passage_terms("houses Häuser", "en")


def test_words_should_be_counted_once_whatever_the_number_of_languages() -> None:
    alone, beside = (query_terms("server houses 2024", held) for held in (["en"], ["en", "de", "fr"]))
    assert len(beside.ids) > len(alone.ids) == 3
    assert beside.words == alone.words == 3
    assert query_terms("server server the", ["en"]).words == 1


@pytest.mark.parametrize("language", ["", "xx", "ko"])
def test_english_should_stand_for_languages_that_cannot_be_stemmed(language: str) -> None:
    assert passage_terms("the dogs", language) == passage_terms("the dogs", "en")
    assert terms("the dogs", language) == terms("the dogs", "en") == terms("the dogs")


def test_korean_should_become_bigrams_once() -> None:
    assert terms("태어났나요", "en", "de", "ko") == terms("태어났나요", "en")


def test_average_length_should_leave_out_the_stop_words_of_the_passage() -> None:
    text = "für die Häuser und über die Straße"
    assert average_length([Passage(text, language="de")]) == pytest.approx(2, abs=1e-3)
    assert average_length([Passage(text)]) > 4


def test_every_language_should_have_a_stemmer_and_stop_words() -> None:
    for language in STEMMED:
        assert len(passage_terms("Server 2024", language)) == 2


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (GERMAN, "de"),
        (FRENCH, "fr"),
        (ENGLISH, "en"),
        (PORTUGUESE, "pt"),
        (POLISH, ""),
        ("아인슈타인은 독일에서 태어났고 스위스에서 공부했다.", ""),
        ("1 2 3 4", ""),
        ("", ""),
    ],
)
def test_language_should_be_told_by_the_stop_words(text: str, language: str) -> None:
    assert language_of([text]) == language
    assert language_of(text.split(". ")) == language
