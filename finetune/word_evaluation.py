"""How well words become poses, judged by rules and not by networks: a statement of the caption holds or it does not.

Beside the policy stand a random training pose, the pose of the nearest training caption, and the true pose.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import roma
import torch

from finetune import everyday, retrieval
from finetune.data import datasets, families
from finetune.photo_evaluation import per_cent
from finetune.sft import draw
from posegen import captions, posecodes
from posegen.lexicon import lexicon

NUM_TRAINING_CAPTIONS = 16_000
NUM_READ_CAPTIONS = 2_000  # of these the language model reads the first for its own retrieval: it takes long
BATCH = 25


# ---- captions


@dataclass
class Told:
    """N captions of poses.

    Attributes:
        texts: N captions.
        wanted: (N, S) float32, 1 for the statements a caption makes.
        axis_angle: (N, 24, 3) the poses they were written of.
        scores: (N, S) the poses' statement scores.
    """

    texts: list[str]
    wanted: torch.Tensor
    axis_angle: torch.Tensor
    scores: torch.Tensor

    def __len__(self):
        return len(self.texts)

    @classmethod
    def of(cls, made: list[captions.Caption], axis_angle, scores) -> "Told":
        wanted = datasets.asserted([caption.statements for caption in made])
        return cls([caption.text for caption in made], wanted, axis_angle, scores)


def of_clips(path, count: int, seed: int) -> Told:
    """Captions of poses drawn evenly over the validation clips of a pose file."""
    axis_angle, clip = datasets.mocap(path, "val")
    scores = posecodes.scores(roma.rotvec_to_rotmat(axis_angle))
    per_clip = 1 / np.bincount(clip)[clip]
    index = torch.from_numpy(np.random.default_rng(seed).choice(len(clip), count, p=per_clip / per_clip.sum()))
    rng, weights = np.random.default_rng([seed, 1]), datasets.rarity(scores).numpy()
    return Told.of(
        [captions.write(row, rng, weights=weights) for row in scores[index].numpy()], axis_angle[index], scores[index]
    )


def of_families(count: int, seed: int) -> Told:
    """Captions of poses of the parametric families, drawn with an odd seed: training draws with even ones."""
    drawn = families.sample(count, 2 * seed + 1)
    axis_angle = torch.from_numpy(drawn.axis_angle)
    scores = posecodes.scores(roma.rotvec_to_rotmat(axis_angle))
    rng, weights = np.random.default_rng([seed, 1]), datasets.rarity(scores).numpy()
    rows = zip(scores.numpy(), drawn.names, strict=True)
    return Told.of([captions.write(row, rng, tags=tags, weights=weights) for row, tags in rows], axis_angle, scores)


def of_pool(pool, count: int, seed: int) -> Told:
    """Training captions, of poses drawn as the reader's are."""
    index = draw(datasets.caption_weight(pool), count, torch.Generator().manual_seed(seed))
    made = datasets.write_captions(pool, index, np.random.default_rng(seed))
    return Told.of(made, pool.axis_angle[index], pool.scores[index])


def of_unseen_wordings(pool, count: int, seed: int) -> Told:
    """Named poses of the pool, each said in a wording that training has never seen."""
    named = lexicon()[1]
    kept = torch.tensor([any(captions.is_held_out(w) for w in unit.wordings) for unit in named])
    fit = (pool.unit >= 0) & kept[pool.unit.clamp_min(0)]
    each = 1 / torch.bincount(pool.unit[fit], minlength=len(named))[pool.unit.clamp_min(0)]
    index = draw(torch.where(fit, each, 0.0), count, torch.Generator().manual_seed(seed))
    rng, weights = np.random.default_rng([seed, 2]), datasets.rarity(pool.scores).numpy()
    rows = zip(pool.scores[index].numpy(), pool.unit[index].tolist(), strict=True)
    made = [captions.write(row, rng, weights=weights, about=named[unit], held_out=True) for row, unit in rows]
    return Told.of(made, pool.axis_angle[index], pool.scores[index])


# ---- statements that hold


def share_held(scores: torch.Tensor, wanted: torch.Tensor, tolerant: bool = True) -> torch.Tensor:
    """(N,) share of each caption's statements (N, S) that hold for poses with statement scores (N, S)."""
    held = posecodes.holds(scores, tolerant).float()
    return (held * wanted).sum(1) / wanted.sum(1).clamp_min(1)


def held(scores: torch.Tensor, wanted: torch.Tensor) -> dict:
    """Per cent of statements (N, S) that hold for poses with scores (N, S), or for the best of M with (N, M, S)."""
    scores = scores[:, None] if scores.dim() == 2 else scores
    return {
        kind: per_cent(torch.stack([share_held(s, wanted, kind == "tolerant") for s in scores.unbind(1)]).amax(0))
        for kind in ("tolerant", "strict")
    }


def less(a: dict, b: dict) -> dict:
    """Points by which a is above b."""
    return {kind: round(a[kind] - b[kind], 1) for kind in a}


def read(policy, texts: list[str]) -> torch.Tensor:
    """(N, S) statement probabilities, in batches of texts of like length."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = torch.zeros(len(texts), len(posecodes.NAMES))
    for i in range(0, len(order), BATCH):
        some = order[i : i + BATCH]
        out[some] = policy.read([texts[j] for j in some]).probabilities.cpu()
    return out


@torch.no_grad()
def obedience(policy, sets: dict[str, Told], pool, train: Told, seed: int) -> dict:
    """For each set of captions: per cent of statements that hold, tolerant and strict, and how they were read.

    Args:
        pool: the training poses; random poses are drawn with its weights.
        train: training captions, which the nearest are taken from.
    """
    queries = [text for told in sets.values() for text in told.texts]
    print("words: nearest training captions", flush=True)
    features = partial(retrieval.language_model_features, policy.backbone)
    nearest = {
        "nearest_tfidf": retrieval.nearest_by_tfidf(queries, train.texts),
        "nearest_lm_features": retrieval.nearest(features(queries), features(train.texts[:NUM_READ_CAPTIONS])),
        "nearest_sentence": retrieval.nearest(*map(retrieval.sentence_embeddings, (queries, train.texts))),
    }
    out, start = {}, 0
    for name, told in sets.items():
        print(f"words: {len(told)} captions of {name}", flush=True)
        retrieved = {key: train.scores[index[start : start + len(told)]] for key, index in nearest.items()}
        start += len(told)
        out[name] = figures(policy, told, retrieved, pool, seed)
    return out


def figures(policy, told: Told, retrieved: dict[str, torch.Tensor], pool, seed: int) -> dict:
    """`obedience` for one set; `retrieved`: scores (N, S) of the poses of the nearest captions."""
    wanted, probabilities = told.wanted, read(policy, told.texts)
    generator = torch.Generator().manual_seed(seed)

    distribution = policy.distribution(probabilities)
    shuffled = policy.distribution(probabilities[torch.randperm(len(told), generator=generator)])

    def obeyed(distribution, temperature, num_samples=1):
        x = distribution.sample(num_samples, temperature, generator)
        scores = posecodes.scores(distribution.rotations(x).flatten(0, 1))
        return held(scores.unflatten(0, (len(told), num_samples)), wanted)

    out = {"captions": len(told), "statements_per_caption": round(wanted.sum(1).mean().item(), 2)}
    for name, temperature in (("mode", 0.0), ("sample_t0.5", 0.5), ("sample_t1", 1.0)):
        out[name] = obeyed(distribution, temperature)
    out["best_of_8"] = obeyed(distribution, 1.0, 8)
    out["shuffled_t1"] = obeyed(shuffled, 1.0)
    out["random_training_pose"] = held(pool.scores[draw(pool.weight, len(told), generator)], wanted)
    out |= {key: held(scores, wanted) for key, scores in retrieved.items()}
    out["true_pose"] = held(told.scores, wanted)
    best = {kind: max(out[key][kind] for key in retrieved) for kind in ("tolerant", "strict")}
    out["margin_over_retrieval"] = less(out["sample_t0.5"], best)
    out["shuffled_drop"] = less(out["sample_t1"], out["shuffled_t1"])
    out["reading"] = reading(probabilities, wanted)
    return out


def reading(read: torch.Tensor, wanted: torch.Tensor) -> dict:
    """How words were understood, per cent: precision, recall, captions without a mistake, left/right confusions."""
    found = read > 0.5
    asserted = wanted > 0.5
    correct = (found & asserted).sum()
    other = list(posecodes.MIRROR_STATEMENT)
    sided = torch.tensor([i != j for i, j in enumerate(other)])
    only_this_side = asserted & ~asserted[:, other] & sided
    confused = only_this_side & (read[:, other] > read)
    return {
        "precision": per_cent(correct / found.sum().clamp_min(1)), "recall": per_cent(correct / asserted.sum()),
        "exact": per_cent((found == asserted).all(1).float()),
        "left_right_confused": per_cent(confused.sum() / only_this_side.sum()),
    }  # fmt: skip


# ---- replies


@torch.no_grad()
def replies(policy, told: Told, count: int = 100) -> dict:
    """Per cent of what the language model says of the first poses that is true of them, as the reader reads it.

    The same for the rule-written sentences (`captions.describe`) shows how far the reader can be trusted.
    """
    rotations, scores = roma.rotvec_to_rotmat(told.axis_angle[:count]), told.scores[:count]
    said = [text for part in rotations.split(BATCH) for text in policy.tell(part)]
    out = {"n": len(said)}
    for name, texts in (("true", said), ("rule_true", [captions.describe(row) for row in scores.numpy()])):
        statements = read(policy, texts) > 0.5
        out[name] = per_cent((statements & posecodes.holds(scores)).sum() / statements.sum())
    return out


# ---- everyday words


@torch.no_grad()
def everyday_words(policy, pool, seed: int, num_random: int = 2000) -> dict:
    """Per cent of the everyday prompts whose first sample at temperature 0.5 passes its check, and what failed."""
    from scipy.stats import binomtest

    answers = everyday.examine(policy, num_samples=1, temperature=0.5, seed=seed)
    passed = sum(answer.passed[0] for answer in answers)
    interval = binomtest(passed, len(answers)).proportion_ci()
    index = draw(pool.weight, num_random, torch.Generator().manual_seed(seed))
    random = everyday.passed(roma.rotvec_to_rotmat(pool.axis_angle[index]).numpy())
    return {
        "prompts": len(answers),
        "passed": round(100 * passed / len(answers), 1),
        "interval_95": [round(100 * interval.low, 1), round(100 * interval.high, 1)],
        "random_training_pose": round(100 * float(random.mean()), 1),
        "failed": [
            {"prompt": answer.text, "understood": {phrase: round(p, 2) for phrase, p in answer.understood}}
            for answer in answers
            if not answer.passed[0]
        ],
    }


# ---- report


def table(words: dict) -> list[str]:
    """The figures of `obedience` as lines of markdown, a pair of columns a set."""
    lines = [
        f"Words: {w['captions']} captions of {name}, {w['statements_per_caption']} statements each."
        for name, w in words.items()
    ]
    lines += [
        f"Per cent of statements that hold, tolerant / strict; nearest among {NUM_TRAINING_CAPTIONS} training captions "
        f"(by features, among {NUM_READ_CAPTIONS}).",
        "",
        "| | " + " | ".join(words) + " |",
        "|---" * (1 + len(words)) + "|",
    ]
    rows = [key for key, value in next(iter(words.values())).items() if isinstance(value, dict) and "strict" in value]
    for key in rows:
        cells = (f"{w[key]['tolerant']} / {w[key]['strict']}" for w in words.values())
        lines.append(f"| {key.replace('_', ' ')} | " + " | ".join(cells) + " |")
    lines.append("")
    for name, w in words.items():
        r = w["reading"]
        lines.append(
            f"Reading {name}: precision {r['precision']}, recall {r['recall']}, captions read exactly {r['exact']}, "
            f"left/right confused {r['left_right_confused']} (per cent)."
        )
    return lines


def replies_line(r: dict) -> str:
    return (
        f"Replies about {r['n']} validation poses: {r['true']} % of what they say is true "
        f"({r['rule_true']} % of what the rule writes, read by the same reader)."
    )


def everyday_line(e: dict) -> str:
    low, high = e["interval_95"]
    return (
        f"Everyday words: {e['passed']} % of {e['prompts']} prompts pass their check (95 % interval {low} to {high}); "
        f"random training poses pass {e['random_training_pose']} %."
    )
