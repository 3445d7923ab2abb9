"""Several policies side by side on the same prompts: one JSON, one markdown table, one plot.

Every figure has a 95 % bootstrap interval, and that of every policy after the first the paired interval of its
difference to the first: both answered the same prompts, which are resampled together.
"""

import json
import time
from functools import cache
from pathlib import Path

import numpy as np
import roma
import torch
from scipy.stats import hypergeom

from finetune import everyday, photo_evaluation, rewards, variety
from finetune.data import datasets
from finetune.matcher import FOLDER, PROTOCOLS, Matcher
from finetune.rollout import add_words, draw_poses
from finetune.tasks import read_prompts
from finetune.word_evaluation import of_clips, of_families, of_unseen_wordings, read, share_held
from posegen import captions, posecodes
from posegen.camera import Camera
from posegen.photo import LIMB_LANDMARKS
from posegen.policy import MAX_REPLY_TOKENS, PosePolicy, find_folder, read_config
from posegen.skeleton import LIMBS, forward_kinematics

PROMPTS = Path(__file__).resolve().parent.parent / "assets" / "prompts" / "validation.jsonl"
NUM_RESAMPLES = 2000
NUM_REPLIES = 200
NUM_EVERYDAY = 8  # poses of each everyday prompt
LIKE_PROMPTS = (250, 100, 150)  # of the prompts' poses: validation clips, families, named poses
UNGUIDED = ", unguided"  # behind the name of a policy whose head answers alone, as training draws poses
TEMPERATURES = tuple(round(0.2 * i, 1) for i in range(7))  # of the frontier


def run(config, training_pool) -> dict:
    """Compare config.policy ("A,B,C") and write the report; returns it.

    Of an EvaluateConfig; training_pool(config) builds the pool of training poses, which takes minutes."""
    started, paths = time.time(), config.policy.split(",")
    names = ["/".join(Path(path).parts[-2:]) for path in paths]
    if len(set(names)) < len(names) or not all(names):
        raise ValueError("Several policies are given as --policy A,B,C, each once and without spaces.")
    if 0 < config.num_captions < 32:
        raise ValueError(f"Recall is measured in pools of 32 prompts, but num_captions is {config.num_captions}.")
    for path in paths:
        read_config(find_folder(path))  # a mistake is told before hours of measuring
    report = {"policies": names, "seed": config.seed}
    prompts, renders = [], {}
    if config.num_captions:
        matchers = {kind: Matcher.load(FOLDER / f"{kind}.safetensors") for kind in ("judge", "reward")}
        prompts, statements = (part[: config.num_captions] for part in read_prompts(PROMPTS))
        wanted = datasets.asserted(statements)
        texts = {kind: matcher.embed_texts(prompts) for kind, matcher in matchers.items()}
        real, others = real_embeddings(matchers["judge"], config, training_pool(config))
        floor = frechet(others, real, np.ones((1, len(others)), int)).item()
        report |= {"prompts": len(prompts), "fid_to": len(real), "fid_of_such_poses": round(floor, 4)}
    if config.num_photos:
        renders = photo_evaluation.validation_renders(config)
        report["renders"] = len(renders["joints"])
    measured, points = {}, []
    for name, path in zip(names, paths, strict=True):
        print(f"measuring {name}", flush=True)
        policy, values, drawn = PosePolicy.from_pretrained(path), {}, {}
        if prompts:
            given = read(policy, prompts)
            guided, own = policy.distribution(given), policy.head((given > 0.5).float())
            values, rotations = words(guided, own, wanted, config.seed)
            poses = {kind: matcher.embed_poses(rotations) for kind, matcher in matchers.items()}
            for kind in matchers:
                values |= {f"{kind}/{key}": hit for key, hit in recall_hits(texts[kind], poses[kind]).items()}
            drawn["fid"] = frechet(poses["judge"].numpy(), real, resamples(len(prompts), config.seed))
            some = prompts[:NUM_REPLIES], given[:NUM_REPLIES], config.seed
            values |= replies(policy, matchers["judge"], *some, temperature=1.0)
            greedy = replies(policy, matchers["judge"], *some, temperature=0.0)
            values |= {f"{key}_greedy": value for key, value in greedy.items()}
            points += frontier({name: guided, f"{name}{UNGUIDED}": own}, wanted, config.seed)
        if config.everyday:
            for t in (0.5, 1.0):
                answers = everyday.examine(policy, NUM_EVERYDAY, temperature=t, seed=config.seed)
                values[f"everyday_t{t}"] = 100 * np.array([np.mean(answer.passed) for answer in answers])
        if renders:
            values |= people(policy, renders)
        measured[name] = means(values, config.seed) | drawn
    report |= {"figures": summary(measured), "frontier": points, "seconds": round(time.time() - started)}
    path = Path(config.report)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1))
    path.with_suffix(".md").write_text(table(report))
    print(table(report))
    if points:
        plot_frontier(points, path.with_suffix(".png"))
    return report


# ---- what is measured


@torch.no_grad()
def draw(distribution, wanted: torch.Tensor, temperature: float, seed: int) -> tuple:
    """Two poses for each of N prompts, with the same random numbers for every policy: (N,) per cent of the statements
    wanted (N, S) that hold, tolerant, for the first; (N,) mean joint distance of the two in mm; (N, 24, 3, 3) the
    first."""
    x = distribution.sample(2, temperature, torch.Generator().manual_seed(seed))
    rotations = distribution.rotations(x).cpu()
    held = share_held(posecodes.scores(rotations[:, 0]), wanted)
    joints, _ = forward_kinematics(rotations)
    apart = variety.joint_distance(joints[:, 0], joints[:, 1])
    return 100 * held.double().numpy(), 1000 * apart.astype(float), rotations[:, 0]


def words(guided, own, wanted: torch.Tensor, seed: int) -> tuple[dict, torch.Tensor]:
    """Statements held and diversity, and the poses (N, 24, 3, 3) drawn at temperature 1.

    guided: the distributions that people are given; own: the head's, as training draws them, "unguided" in the names.
    """
    held, apart, rotations = draw(guided, wanted, 1.0, seed)
    cooler = {f"held_{name}": draw(guided, wanted, t, seed)[0] for name, t in (("t0.5", 0.5), ("mode", 0.0))}
    alone = dict(zip(("unguided/held_t1", "unguided/diversity_mm"), draw(own, wanted, 1.0, seed), strict=False))
    return {"held_t1": held} | cooler | {"diversity_mm": apart} | alone, rotations


def recall_hits(texts: torch.Tensor, poses: torch.Tensor) -> dict[str, np.ndarray]:
    """(N,) per cent for each protocol, direction and k: how often the own one of N pairs is among the k most alike.

    Of pools of 32 it is the exact mean over all random pools: of the n - 1 others b are at least as alike as the own
    one, and how many of them a pool holds is hypergeometric.
    """
    cosine, n, out = texts @ poses.T, len(texts), {}
    own = cosine.diagonal()
    before = {"text_to_pose": (cosine >= own[:, None]).sum(1) - 1, "pose_to_text": (cosine >= own[None]).sum(0) - 1}
    for protocol, pool in PROTOCOLS.items():
        for way, b in before.items():
            for k in (1, 5, 10):
                out[f"{protocol}/{way}/R@{k}"] = 100 * hypergeom.cdf(k - 1, n - 1, b.numpy(), (pool or n) - 1)
    return out


@torch.no_grad()
def replies(policy, judge: Matcher, prompts: list[str], given, seed: int, temperature: float) -> dict[str, np.ndarray]:
    """Per cent of the rewards about words (finetune/rewards.py) of one answer a prompt; and how often a reply's own
    pose is among the five of all that the judge finds most like it. Poses are drawn at temperature 1, words at the one
    given: 0 is what people get. given: what was read."""
    generator, drawn = (torch.Generator().manual_seed(seed + i) for i in (0, 1))
    uniform = lambda n: torch.rand(n, 1, generator=drawn)  # noqa: E731
    out = {"format": [], "truth": [], "clauses": [], "telling": [], "reply_similarity": []}
    texts, poses = [], []
    for i in range(0, len(prompts), 20):
        rollout = draw_poses(policy.distribution(given[i : i + 20]), 1, 1, generator)
        add_words(policy, prompts[i : i + 20], rollout, temperature, MAX_REPLY_TOKENS, uniform)
        said, shown = rollout.completions, list(rollout.shown)
        out["format"] += rewards.reward_format(said)
        out["truth"] += rewards.reward_truth(said, reader=policy.reader, shown=shown)
        out["clauses"] += rewards.reward_clauses(said, reader=policy.reader, shown=shown)
        out["telling"] += rewards.reward_telling(said, reader=policy.reader, shown=shown)
        rules = [captions.describe(row) for row in rollout.shown.numpy()]
        out["reply_similarity"] += rewards.reward_text_similarity(said, rules)
        texts += [rewards.words(text) or "-" for text in said]
        poses.append(rollout.rotations[:, 0].cpu())
    hits = recall_hits(judge.embed_texts(texts), judge.embed_poses(torch.cat(poses)))
    found = {"reply_finds_its_pose": hits["full_set/text_to_pose/R@5"]}
    return {name: 100 * np.array(values) for name, values in out.items()} | found


@torch.no_grad()
def people(policy, renders: dict) -> dict[str, np.ndarray]:
    """Errors of the likeliest pose of each render over 12 limb joints: mm; reprojection, under the camera that the app
    would fit, in per cent of the larger side of the true joints' box, a joint's at most 100."""
    distribution = policy.lift(*photo_evaluation.readings_of(renders))
    joints = forward_kinematics(distribution.rotations(distribution.mode()))[0][:, list(LIMBS)].cpu().numpy()
    truth, off = renders["joints"][:, list(LIMBS)], []
    for i, (width, height) in enumerate(renders["frame"]):
        pixels, weights = (renders[key][i, list(LIMB_LANDMARKS)] for key in ("landmarks_2d", "visibility"))
        seen = Camera.fit(joints[i], pixels, width, height, weights.clip(0.05)).project(joints[i], width, height)
        true = Camera(renders["focal"][i], renders["translation"][i]).project(truth[i], width, height)
        off.append((np.linalg.norm(seen - true, axis=1) / np.ptp(true, axis=0).max()).clip(max=1).mean())
    return {
        "pa_mpjpe_mm": 1000 * photo_evaluation.pa_errors(joints, truth),
        "mpjpe_mm": 1000 * photo_evaluation.root_errors(joints, truth),
        "reprojection": 100 * np.array(off),
    }


def real_embeddings(judge: Matcher, config, pool) -> tuple[np.ndarray, np.ndarray]:
    """(2000, 128) and (500, 128) of poses such as PROMPTS were written of (scripts/make_prompts.py): validation clips,
    families of an odd seed, and named poses of the pool, in the same shares."""
    clips, other, named = (5 * count for count in LIKE_PROMPTS)
    seed = config.seed
    told = of_clips(config.poses, clips, seed), of_families(other, seed), of_unseen_wordings(pool, named, seed)
    rotations = roma.rotvec_to_rotmat(torch.cat([part.axis_angle for part in told]))
    embeddings, fifth = judge.embed_poses(rotations).numpy(), np.arange(len(rotations)) % 5 == 0
    return embeddings[~fifth], embeddings[fifth]


def frechet(embeddings: np.ndarray, real: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(R,) Frechet distances to real (M, D) of R resamples of embeddings (N, D), each as if Gaussian; in resample r
    embedding i is met counts[r, i] times."""
    embeddings, real = embeddings.astype(float), real.astype(float)
    middle, covariance, out = real.mean(0), np.cov(real.T), []
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    for count in counts:
        mean = count @ embeddings / count.sum()
        mine = np.cov(embeddings.T, fweights=count)
        shared = np.sqrt(np.linalg.eigvalsh(root @ mine @ root).clip(0)).sum()
        out.append(((mean - middle) ** 2).sum() + np.trace(mine) + np.trace(covariance) - 2 * shared)
    return np.array(out)


# ---- bootstrap


@cache
def resamples(n: int, seed: int) -> np.ndarray:
    """(2001, n) how often each of n prompts is met in each resample; the first is the prompts as they are, once each.

    They are the same for every policy, so that differences pair."""
    drawn = np.random.default_rng([seed, n]).multinomial(n, np.full(n, 1 / n), NUM_RESAMPLES)
    return np.concatenate([np.ones((1, n), int), drawn])


def means(values: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """(2001,) mean of each figure's (n,) values in each of `resamples`."""
    return {name: resamples(len(v), seed) @ v / len(v) for name, v in values.items()}


def interval(resampled: np.ndarray) -> list[float]:
    """95 % interval about the first of (2001,) values: as wide as the others spread about their mean.

    For means this is the percentile interval; a Frechet distance is larger in resamples, since they repeat points."""
    low, high = np.quantile(resampled[1:], [0.025, 0.975]) - resampled[1:].mean()
    return [round(resampled[0] + low, 4), round(resampled[0] + high, 4)]


def summary(measured: dict[str, dict[str, np.ndarray]]) -> dict:
    """Figure -> policy -> value, interval_95 and, but for the first, difference and difference_interval_95."""
    first = next(iter(measured.values()))
    out = {figure: {} for figure in first}
    for name, mine in measured.items():
        for figure, resampled in mine.items():
            row = {"value": round(resampled[0], 4), "interval_95": interval(resampled)}
            if mine is not first:
                more = resampled - first[figure]
                row |= {"difference": round(more[0], 4), "difference_interval_95": interval(more)}
            out[figure][name] = row
    return out


# ---- obedience against diversity


def frontier(distributions: dict, wanted: torch.Tensor, seed: int) -> list[dict]:
    """Statements held (per cent) and diversity (mm) of each policy's distribution at each of TEMPERATURES:
    a lower temperature buys one with the other, so a better policy is one whose whole line lies higher."""
    points = []
    for name, distribution in distributions.items():
        for t in TEMPERATURES:
            held, apart, _ = draw(distribution, wanted, t, seed)
            bounds = interval(means({"held": held}, seed)["held"])
            point = {"policy": name, "temperature": t, "held": round(held.mean(), 2), "held_interval_95": bounds}
            points.append(point | {"diversity_mm": round(apart.mean(), 1)})
    return points


def plot_frontier(points: list[dict], path) -> None:
    """Draw `frontier`'s points, a line a policy."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(point["policy"] for point in points):
        mine = [point for point in points if point["policy"] == name]
        x, y = ([point[key] for point in mine] for key in ("diversity_mm", "held"))
        alone = name.endswith(UNGUIDED)
        (line,) = axes.plot(x, y, marker="o", label=name, linestyle=":" if alone else "-", markersize=4)
        bounds = np.array([point["held_interval_95"] for point in mine])
        axes.fill_between(x, *bounds.T, color=line.get_color(), alpha=0.15, linewidth=0)
        for point, *at in zip(mine, x, y, strict=True):
            axes.annotate(point["temperature"], at, (4, 4), textcoords="offset points", fontsize=7)
    axes.set(xlabel="mean joint distance of two samples of a prompt, mm", ylabel="statements held, %")
    axes.legend(title="at temperatures 0 to 1.2")
    figure.savefig(path, dpi=120)


# ---- report


def table(report: dict) -> str:
    """The report as markdown: a row a figure, a column a policy."""
    names = report["policies"]
    lines = [f"Seed {report['seed']}, {report['seconds']} s. Per cent but for mm and fid. In brackets 95 % intervals; "]
    lines[0] += "after a semicolon the difference to the first policy and its paired interval."
    if "prompts" in report:
        lines.append(
            f"{report['prompts']} prompts, replies to the first {NUM_REPLIES}. fid: of the judge's embeddings of poses "
            f"at temperature 1, to {report['fid_to']} poses of validation clips, families and named poses such as the "
            f"prompts were written of; {sum(LIKE_PROMPTS)} other such poses have {report['fid_of_such_poses']}."
        )
    if "renders" in report:
        lines.append(f"{report['renders']} validation renders; reprojection in per cent of the person's size.")
    lines += head(names)
    for figure, rows in report["figures"].items():
        lines.append(f"| {figure.replace('_', ' ')} | " + " | ".join(cell(rows[name], figure) for name in names) + " |")
    if report["frontier"]:
        at = {(p["policy"], p["temperature"]): f"{p['held']} % / {p['diversity_mm']} mm" for p in report["frontier"]}
        names = list(dict.fromkeys(point["policy"] for point in report["frontier"]))
        lines += ["", "Statements held and diversity:", *head(names)]
        lines += [f"| temperature {t} | " + " | ".join(at[name, t] for name in names) + " |" for t in TEMPERATURES]
    return "\n".join(lines) + "\n"


def head(names: list[str]) -> list[str]:
    """The first lines of a table with a column a policy."""
    return ["", "| | " + " | ".join(names) + " |", "|---" * (1 + len(names)) + "|"]


def cell(row: dict, figure: str) -> str:
    """`61.2 (59.0 to 63.1); +4.0 (+2.1 to +5.8)`"""
    kind = ".3f" if figure == "fid" else ".1f"
    ways = [("value", "interval_95", kind), ("difference", "difference_interval_95", "+" + kind)]
    given = [(row[key], *row[bounds], form) for key, bounds, form in ways if key in row]
    return "; ".join(f"{value:{form}} ({low:{form}} to {high:{form}})" for value, low, high, form in given)
