"""The yardstick for words: which training caption is the nearest."""

from collections import Counter

import numpy as np
import torch

from finetune import retrieval

CAPTIONS = [
    "a person stands with the left arm raised and the right leg bent",
    "a person stands with the right arm raised and the left leg bent",
    "someone kneels on the floor",
    "a man sits on a chair, both hands on the knees",
]


def test_terms_are_words_and_neighbours():
    assert retrieval.terms("A man's LEFT arm") == ["man", "left", "arm", "man left", "left arm"]


def test_tfidf_prefers_the_order_of_words_and_rare_words():
    queries = ["left leg bent, right arm raised", "he kneels", "hands on knees", "unheard words"]
    nearest = retrieval.nearest_by_tfidf(queries, CAPTIONS, batch=3)
    assert nearest.shape == (4,) and nearest[:3].tolist() == [1, 2, 3]


def test_tfidf_is_the_textbook_cosine():
    def vector(text):
        counts = Counter(retrieval.terms(text))
        df = {term: sum(term in retrieval.terms(caption) for caption in CAPTIONS) for term in counts}
        return {t: n * (1 + np.log((1 + len(CAPTIONS)) / (1 + df[t]))) for t, n in counts.items() if df[t]}

    def cosine(a, b):
        size = lambda v: np.sqrt(sum(x * x for x in v.values()))  # noqa: E731
        return sum(a[t] * b.get(t, 0) for t in a) / (size(a) * size(b))

    words = sorted({word for caption in CAPTIONS for word in caption.replace(",", "").split()})
    rng = np.random.default_rng(0)
    queries = [" ".join(rng.choice(words, 6)) for _ in range(30)]
    expected = [np.argmax([cosine(vector(query), vector(caption)) for caption in CAPTIONS]) for query in queries]
    assert retrieval.nearest_by_tfidf(queries, CAPTIONS).tolist() == expected


def test_features_are_the_frozen_models_and_a_caption_is_nearest_to_itself(policy):
    backbone = policy.backbone
    found = retrieval.language_model_features(backbone, CAPTIONS)
    ids, mask = backbone.pad_left([backbone.chat_start + backbone.words(CAPTIONS[0])])

    def directly():
        states = backbone.hidden(backbone.embed(ids), mask, use_cache=False, output_hidden_states=True).hidden_states
        rows = [states[k][0, len(backbone.chat_start) :].float() for k in (12, 16, 20, 24)]  # of 30 layers
        return torch.stack([h / h.pow(2).mean(-1, keepdim=True).sqrt() for h in rows]).mean((0, 1))

    with torch.inference_mode():
        tuned = directly()
        with backbone.model.disable_adapter():
            frozen = directly()
    distance = (found[0] - frozen).norm()
    assert distance < 0.1 * frozen.norm() and distance < 0.5 * (found[0] - tuned).norm()
    again = retrieval.language_model_features(backbone, CAPTIONS[::-1])
    assert retrieval.nearest(again, found).tolist() == [3, 2, 1, 0]


def test_sentence_embeddings_put_paraphrases_together():
    known = retrieval.sentence_embeddings(["a man waves goodbye", "she is sleeping in bed", "kicking a football"])
    asked = retrieval.sentence_embeddings(["the guy is waving farewell to his friends", "a woman asleep"])
    similar = torch.nn.functional.cosine_similarity(asked[:, None], known[None], dim=-1)
    assert similar.argmax(1).tolist() == [0, 1]
