from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.beir import load_corpus

GERMAN = (
    "Der Urlaub ist bis zum Ende des Jahres zu nehmen, und nicht alle Tage werden in das nächste übertragen."
)
ENGLISH = "The leave is to be taken until the end of the year, and not all days are moved into the next one."


@pytest.mark.parametrize(("texts", "language"), [([GERMAN, "Haus"], "de"), ([ENGLISH], "en"), (["독일"], "")])
def test_corpus_should_be_of_the_language_of_its_texts(
    tmp_path: Path, texts: list[str], language: str
) -> None:
    rows = [json.dumps({"_id": str(number), "text": text}) for number, text in enumerate(texts)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(rows), encoding="utf-8")
    corpus = load_corpus(tmp_path)
    assert [passage.language for passage in corpus.passages] == [language] * len(texts)
