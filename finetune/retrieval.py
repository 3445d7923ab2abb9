"""The yardstick for words: take the training caption that is most like the query, and answer with its pose.

Likeness is the cosine of TF-IDF vectors over words and pairs of words, of the frozen language model's features,
or of the sentence encoder's.
"""

import re
from functools import cache
from itertools import groupby, pairwise

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import norm

from posegen.backbone import Backbone
from posegen.reader import Reader

#: Depths (share of the layers) whose hidden states are averaged: middle layers carry more meaning than the last.
FEATURE_DEPTHS = (0.4, 0.534, 0.667, 0.8)


def terms(text: str) -> list[str]:
    """Words of two letters or more, in lower case, and pairs of neighbours."""
    words = re.findall(r"\w\w+", text.lower())
    return words + [" ".join(pair) for pair in pairwise(words)]


def count_terms(texts: list[str], vocabulary: dict[str, int]) -> sparse.csr_array:
    """How often every term of the vocabulary is in every text, (N, V); other terms are left out."""
    found = [(i, vocabulary[term]) for i, text in enumerate(texts) for term in terms(text) if term in vocabulary]
    rows, columns = np.array(found, int).reshape(-1, 2).T
    return sparse.coo_array((np.ones(len(rows)), (rows, columns)), (len(texts), len(vocabulary))).tocsr()


def nearest_by_tfidf(queries: list[str], captions: list[str], batch: int = 256) -> np.ndarray:
    """(N,) index of the caption with the most alike TF-IDF vector (idf = 1 + log((1 + n) / (1 + df))) of N queries."""
    vocabulary = {term: i for i, term in enumerate(dict.fromkeys(term for text in captions for term in terms(text)))}
    counts = count_terms(captions, vocabulary)
    idf = 1 + np.log((1 + len(captions)) / (1 + np.bincount(counts.indices, minlength=len(vocabulary))))
    unit = lambda v: v.multiply(1 / np.maximum(norm(v, axis=1), 1e-12)[:, None]).tocsr()  # noqa: E731
    known = unit(counts.multiply(idf)).T.tocsr()
    asked = unit(count_terms(queries, vocabulary).multiply(idf))
    return np.concatenate([(asked[i : i + batch] @ known).toarray().argmax(1) for i in range(0, len(queries), batch)])


@torch.inference_mode()
def language_model_features(backbone: Backbone, texts: list[str], batch: int = 32) -> torch.Tensor:
    """(N, C) float32: the frozen language model's hidden states, RMS-normalised, averaged over layers and words.

    Texts of equal length are read together after one reading of the chat's beginning, so nothing is padded.
    """
    ids = [backbone.words(text) for text in texts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    out = torch.zeros(len(ids), backbone.hidden_size)
    begin = torch.tensor([backbone.chat_start], device=backbone.device)
    with backbone.model.disable_adapter():
        for _, same in groupby(order, key=lambda i: len(ids[i])):
            for some in torch.tensor(list(same)).split(batch):
                before = backbone.prefill(backbone.embed(begin), torch.ones_like(begin, dtype=torch.bool))
                before = before.repeat(len(some))
                rows = torch.tensor([ids[i] for i in some.tolist()], device=backbone.device)
                mask = torch.cat([before.mask, torch.ones_like(rows, dtype=torch.bool)], 1)
                states = backbone.hidden(
                    backbone.embed(rows), mask, past_key_values=before.cache, output_hidden_states=True
                ).hidden_states
                chosen = [states[round(depth * (len(states) - 1))].float() for depth in FEATURE_DEPTHS]
                rms = [h * h.pow(2).mean(-1, keepdim=True).add(1e-6).rsqrt() for h in chosen]
                out[some] = (sum(rms) / len(rms)).mean(1).cpu()
    return out


@cache
def sentence_encoder() -> Reader:
    """The untouched MiniLM, kept loaded."""
    return Reader.load([], torch.zeros(0, 1)).eval()


@torch.inference_mode()
def sentence_embeddings(texts: list[str], batch: int = 64) -> torch.Tensor:
    """(N, 384) float32: the untouched sentence encoder's embeddings, the mean over the tokens of each text."""
    reader = sentence_encoder()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = torch.zeros(len(texts), reader.encoder.config.hidden_size)
    for i in range(0, len(order), batch):
        hidden, mask = reader.encode([texts[j] for j in order[i : i + batch]])
        out[order[i : i + batch]] = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return out


def nearest(asked: torch.Tensor, known: torch.Tensor) -> np.ndarray:
    """(N,) index of the row of `known` (M, C), standardised per dimension, that points most like each of `asked`."""
    mean, std = known.mean(0), known.std(0) + 1e-6
    unit = lambda v: torch.nn.functional.normalize((v - mean) / std, dim=1)  # noqa: E731
    return (unit(asked) @ unit(known).T).argmax(1).numpy()
