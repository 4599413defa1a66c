"""Tune a cross-encoder on a GPU: the bi-encoder's similarity over lists of hard candidates, and some labels.

    python -m training.reranker.listwise --student FOLDER --teacher FOLDER --candidates FILE --out FOLDER

Candidates come from `training.reranker.candidates`. Needs torch, transformers, tokenizers and onnxruntime,
but nothing of the application, so that any machine with a GPU can run it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertModel

from retrieval.reranker.twin import TwinBert
from training.reranker.layers import Bert
from training.reranker.lists import (
    PASSAGE_TOKENS,
    QUERY_TOKENS,
    Lists,
    Pairs,
    Split,
    padded,
    plain_tokenizer,
    read_candidates,
)
from training.reranker.loop import Log, label_loss, learn, listwise_loss, rates, without_dropout

TEMPERATURE = 0.05  # of the teacher's cosines
LABEL_WEIGHT = 0.3  # of the labels against the teacher: a neighbouring section is often no wrong answer
LISTED = 32  # passages that the teacher ranks first, of which some are candidates
QUERIES = 96  # in a batch
LEARNING_RATE = 2e-4


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--student", type=Path, required=True, help="the cross-encoder to begin from")
    parser.add_argument("--teacher", type=Path, required=True, help="the bi-encoder")
    parser.add_argument("--candidates", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=420.0, help="of training")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = True
    table = read_candidates(options.candidates)
    teacher = Teacher(options.teacher, options.device)
    queries = teacher.vectors(table["queries"], QUERY_TOKENS)
    passages = teacher.vectors(table["passages"], PASSAGE_TOKENS)
    lists = Lists(
        table["queries"],
        table["passages"],
        np.array(table["labels"]),
        np.array(table["found"]),
        _nearest(queries, passages),
    )
    model: Bert = TwinBert.from_pretrained(options.student, dtype=torch.float32)
    tune(model.to(options.device), lists, queries, passages, Pairs(options.student, lists), options.seconds)
    model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity"}
    model.half().save_pretrained(options.out)


class Teacher:
    """A bi-encoder by the mean over its tokens."""

    def __init__(self, folder: Path, device: str) -> None:
        model: Bert = BertModel.from_pretrained(folder, dtype=torch.float16)
        self._model = model.to(device).eval()
        self._tokenizer = plain_tokenizer(folder)
        self._device = device

    def vectors(self, texts: Sequence[str], longest: int) -> Tensor:
        """(texts, size), unit rows, in half precision on the device."""
        self._tokenizer.enable_truncation(longest)
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        order = np.argsort([len(row) for row in ids])
        found = torch.empty(
            len(ids), self._model.config.hidden_size, dtype=torch.float16, device=self._device
        )
        for rows in np.array_split(order, max(1, len(order) // 512)):
            batch, mask = padded([ids[row] for row in rows], self._device)
            with torch.inference_mode():
                hidden = self._model(input_ids=batch, attention_mask=mask).last_hidden_state
            weights = mask[..., None].half()
            pooled = (hidden * weights).sum(1) / weights.sum(1)
            found[torch.from_numpy(rows).to(self._device)] = nn.functional.normalize(
                pooled.float(), dim=1
            ).half()
        return found


def tune(model: Bert, lists: Lists, queries: Tensor, passages: Tensor, pairs: Pairs, seconds: float) -> None:
    """Train in place for so many seconds; the learning rate falls to nothing by the clock."""
    device = str(queries.device)
    random, split = np.random.default_rng(0), Split.of(lists)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, weight_decay=0.01, fused=device != "cpu"
    )
    without_dropout(model)
    judged = _judged(model, lists, pairs, split.test, device)
    print(f"{len(split.train):,} queries, {len(split.test):,} held out: {judged}")
    model.train()
    log = Log("listwise", "labels")
    for rate in rates(LEARNING_RATE, seconds):
        rows = random.choice(split.train, QUERIES, replace=False)
        chosen = lists.draw(rows, random, split.allowed)
        cosines = torch.einsum(
            "qd,qpd->qp",
            queries[torch.from_numpy(rows).to(device)].float(),
            passages[torch.from_numpy(chosen).to(device)].float(),
        )
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            scores = model(**pairs.inputs(rows, chosen, device)).logits.float().view(len(rows), -1)
        labelled = torch.from_numpy(lists.labels[rows] >= 0).to(device)
        losses = torch.stack(
            [
                listwise_loss(scores, cosines / TEMPERATURE),
                label_loss(scores, labelled, torch.from_numpy(chosen == chosen[:, :1]).to(device)),
            ]
        )
        learn(model, optimizer, losses[0] + LABEL_WEIGHT * losses[1], rate)
        log.add(losses)
    model.eval()
    print(f"{log.step} steps, held out: {_judged(model, lists, pairs, split.test, device)}")


def _judged(model: Bert, lists: Lists, pairs: Pairs, test: NDArray[np.int64], device: str) -> str:
    """The mean reciprocal rank of the held-out queries' own passages among their candidates."""
    random = np.random.default_rng(1)
    ranks = []
    model.eval()
    for rows in np.array_split(test, max(1, len(test) // QUERIES)):
        chosen = lists.draw(rows, random)
        with torch.inference_mode(), torch.autocast(device.split(":")[0], torch.bfloat16):
            scores = model(**pairs.inputs(rows, chosen, device)).logits.float().view(len(rows), -1)
        other = scores.masked_fill(torch.from_numpy(chosen == chosen[:, :1]).to(device), -1e9)
        ranks.append(1 + (other > scores[:, :1]).sum(1))
    return f"MRR {(1 / torch.cat(ranks).float()).mean().item():.4f}"


def _nearest(queries: Tensor, passages: Tensor) -> NDArray[np.int64]:
    """(queries, LISTED): the numbers of the passages with the highest cosines, best first."""
    starts = range(0, len(queries), 1024)
    parts = [(queries[start : start + 1024] @ passages.T).topk(LISTED).indices for start in starts]
    return np.asarray(torch.cat(parts).cpu().numpy())


if __name__ == "__main__":
    main()
