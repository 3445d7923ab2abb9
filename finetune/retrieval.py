"""The yardstick for words: take the training caption that is most like the query, and answer with its pose.

Likeness is the cosine of TF-IDF vectors over words and pairs of words, or of the frozen language model's features.
"""

import re
from itertools import groupby, pairwise

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import norm

from finetune.sft import read_words


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
def mean_features(backbone, texts: list[str], batch: int = 32) -> torch.Tensor:
    """(N, C) float32: the frozen language model's features, averaged over the words of each text."""
    ids = [backbone.words(text) for text in texts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    out = torch.zeros(len(ids), backbone.hidden_size)
    with backbone.model.disable_adapter():
        for _, same in groupby(order, key=lambda i: len(ids[i])):
            for some in torch.tensor(list(same)).split(batch):
                out[some] = read_words(backbone, [ids[i] for i in some.tolist()]).mean(1).cpu()
    return out


def nearest_by_features(backbone, queries: list[str], captions: list[str]) -> np.ndarray:
    """(N,) index of the caption whose mean features, standardised per dimension, point most alike, of N queries."""
    asked, known = mean_features(backbone, queries), mean_features(backbone, captions)
    mean, std = known.mean(0), known.std(0) + 1e-6
    unit = lambda v: torch.nn.functional.normalize((v - mean) / std, dim=1)  # noqa: E731
    return (unit(asked) @ unit(known).T).argmax(1).numpy()
