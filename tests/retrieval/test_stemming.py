from __future__ import annotations

import pytest

from retrieval.lexical import Lexical, average_length
from retrieval.stemming import STEMMED, held_languages, language_of
from retrieval.types import Passage, SparseVector

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


def terms(vector: SparseVector) -> set[int]:
    return set(vector.indices.tolist())


def passage_terms(text: str, language: str, *languages: str) -> set[int]:
    (vector,) = Lexical(languages=languages).passages([Passage(text, language=language)])
    return terms(vector)


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
    found = passage_terms(one, language, language)
    assert found == passage_terms(other, language, language) != set()


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Wie kann ich die Häuser der Firma kaufen", "de"),
        ("how can I buy the houses of the company", "en"),
        ("comment acheter les maisons de la société", "fr"),
    ],
)
def test_question_should_be_stemmed_by_the_language_of_its_stop_words(question: str, language: str) -> None:
    in_all = terms(Lexical(languages=("en", "de", "fr")).query(question))
    assert in_all == terms(Lexical(languages=(language,)).query(question)) != set()


def test_word_that_is_a_stop_word_elsewhere_should_still_be_found() -> None:
    assert terms(Lexical(languages=("en", "de")).query("war")) == terms(Lexical().query("war")) != set()


def test_key_words_should_find_passages_of_every_held_language() -> None:
    lexical = Lexical(languages=("en", "de"))
    german, english = lexical.passages(
        [Passage("der Häuser", language="de"), Passage("running dogs", language="en")]
    )
    assert terms(german) <= terms(lexical.query("Hauses"))
    assert terms(english) == terms(lexical.query("dogs run")) & terms(english)


def test_term_equal_in_several_languages_should_count_once() -> None:
    query = Lexical(languages=("en", "de", "fr")).query("Server 2024")
    assert len(terms(query)) == len(query.indices)
    assert set(query.values.tolist()) == {1.0}
    assert terms(query) >= terms(Lexical().query("2024"))


def test_first_language_should_stand_for_those_that_are_unknown_or_not_held() -> None:
    for language in ("", "xx", "fr"):
        assert passage_terms("der Häuser", language, "de", "en") == passage_terms("der Häuser", "de", "de")
    assert passage_terms("the dogs", "en", "de", "en") == passage_terms("the dogs", "en", "en")


def test_english_alone_should_be_the_default() -> None:
    assert terms(Lexical().query("der Häuser")) == terms(Lexical(languages=("en",)).query("der Häuser"))
    assert passage_terms("der Häuser", "de", "en") == terms(Lexical().query("der Häuser"))


def test_korean_in_any_index_should_become_bigrams_once() -> None:
    assert terms(Lexical(languages=("en", "de")).query("태어났나요")) == terms(Lexical().query("태어났나요"))


def test_average_length_should_leave_out_the_stop_words_of_the_passage() -> None:
    passages = [Passage("für die Häuser und über die Straße", language="de")]
    assert average_length(passages, languages=("de",)) == pytest.approx(2, abs=1e-3)
    assert average_length(passages) > 4


def test_every_language_should_have_a_stemmer_and_stop_words() -> None:
    for language in STEMMED:
        assert len(passage_terms("Server 2024", language, language)) == 2


def test_language_without_a_stemmer_should_be_refused() -> None:
    with pytest.raises(KeyError):
        Lexical(languages=("en", "ko"))


def test_held_languages_should_be_those_that_can_be_stemmed_commonest_first() -> None:
    languages = ["de", "ko", "en", "de", "", "xx"]
    assert held_languages([Passage("", language=language) for language in languages]) == ("de", "en")
    assert held_languages([Passage("", language="ko")]) == held_languages([]) == ("en",)


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
