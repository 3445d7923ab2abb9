"""Stage 1, supervised, in four parts that each resume where they stopped:

1. head    statements -> poses.  No language model in the loop: millions of (statements, pose) pairs are free.
2. lifter  landmarks -> poses, from simulated and from rendered BlazePose landmarks.
3. talker  LoRA: the language model learns to say what a pose shows.
4. reader  words -> statements and named poses; a sentence encoder's upper layers learn it.

A vision-language model learns from rendered photos to tell of the person that it sees, too.
Then the policy folder is written: adapter/, heads.safetensors, config.json.
"""

from pathlib import Path

import numpy as np
import roma
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.nn.utils.rnn import pad_sequence

from finetune.config import SFTConfig
from finetune.data import datasets, photos
from finetune.loop import log, train
from finetune.photo_evaluation import INSIDE, calibration, readings_of, stands_straight
from finetune.rollout import ask
from finetune.tasks import Photos
from posegen import captions, posecodes
from posegen.backbone import Backbone, Prefill
from posegen.distribution import DIM, to_tangent
from posegen.head import Lifter, PoseHead, StatementTokens
from posegen.lexicon import lexicon
from posegen.photo import landmark_features, mirror_landmarks
from posegen.policy import DESCRIBE, PosePolicy, answer_logits, save_policy, statement_ids
from posegen.reader import Reader
from posegen.refine import lift
from posegen.skeleton import LIMBS, forward_kinematics, mirror

MAX_STATEMENTS = 10
STANDING = 0.4  # of the lifter's poses are people who stand straight
STRETCHED = 6  # other people in the pose of every render


def run(config: SFTConfig) -> None:
    """Train all four parts and write the policy to config.output_dir."""
    torch.manual_seed(config.seed)
    run_dir = Path(config.run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    pool = datasets.build_pool(
        config.poses, "train", config.num_families, config.num_recombined, config.seed, config.num_named
    )
    log(run_dir, stage="data", poses=len(pool), **{f"source_{i}": int((pool.source == i).sum()) for i in range(5)})
    if config.parts:  # only words depend on the language model
        made = PosePolicy.from_pretrained(config.parts)
        head, lifter, reader = made.head, made.lifter, made.reader
    else:
        head, lifter = train_head(config, pool), train_lifter(config, pool)
    backbone, tokens = train_talker(config, pool)
    if not config.parts:
        reader = train_reader(config, pool)
    save_policy(config.output_dir, config.backbone, backbone, head, reader, lifter, tokens)
    log(run_dir, stage="done", output=str(config.output_dir))


def draw(weight: torch.Tensor, n: int, generator) -> torch.Tensor:
    """(n,) indices drawn with the pool's weights."""
    return torch.multinomial(weight, n, replacement=True, generator=generator)


# ---- 1. head


def choose_statements(scores: torch.Tensor, recipe: torch.Tensor, rarity: torch.Tensor, generator) -> torch.Tensor:
    """(B, S) in [0, 1]: statements that hold, some of them soft like a reader's.

    Up to 10, rare ones preferred; of poses that show a named pose (recipe (B, S) bool) mostly all of it and some.
    """
    true = scores >= 0
    noise = torch.rand(scores.shape, generator=generator).clamp_min(1e-9)
    key = torch.where(true, rarity.log() - (-noise.log()).log(), -torch.inf)
    count = torch.randint(0, MAX_STATEMENTS + 1, (len(scores), 1), generator=generator)
    whole = recipe & (torch.rand(len(scores), 1, generator=generator) < 0.7)
    key = torch.where(whole, torch.inf, key)
    more = torch.randint(0, 3, (len(scores), 1), generator=generator)
    count = torch.where(whole.any(1, keepdim=True), whole.sum(1, keepdim=True) + more, count)
    rank = key.argsort(1, descending=True).argsort(1)
    chosen = ((rank < count) & true).float()
    blur = torch.rand(scores.shape, generator=generator)
    soft = torch.where(chosen > 0, 1 - 0.3 * blur**2, 0.1 * blur**4)
    return torch.where(torch.rand(len(scores), 1, generator=generator) < 0.5, chosen, soft)


def train_head(config: SFTConfig, pool) -> PoseHead:
    head = PoseHead(len(posecodes.NAMES), config.components).to(config.device)
    rest = torch.eye(3).expand(24, 3, 3)
    x = torch.cat([to_tangent(roma.rotvec_to_rotmat(part), rest) for part in pool.axis_angle.split(20_000)])
    head.mean.copy_(x.mean(0))
    head.std.copy_(x.std(0) + 0.02)
    rarity = datasets.rarity(pool.scores)
    recipes = datasets.recipes()

    def loss_of(generator):
        index = draw(pool.weight, config.head_batch, generator)
        given = choose_statements(pool.scores[index], recipes[pool.unit[index]], rarity, generator)
        return -head(given.to(config.device)).log_prob(x[index].to(config.device)).mean(), {}

    train("head", {"head": head}, loss_of, config.head_steps, config.head_learning_rate, config)
    return head


# ---- 2. lifter


def train_lifter(config: SFTConfig, pool) -> Lifter:
    features, targets, rendered, held_out = lifter_data(config, pool)
    lifter = Lifter(features.shape[1]).to(config.device)
    lifter.mean.copy_(features.mean(0))
    lifter.std.copy_(features.std(0) + 1e-3)
    simulated_index, rendered_index = torch.nonzero(~rendered)[:, 0], torch.nonzero(rendered)[:, 0]

    def loss_of(generator):
        half = config.lifter_batch // 2
        pick = lambda rows: rows[torch.randint(len(rows), (half,), generator=generator)]  # noqa: E731
        index = torch.cat([pick(simulated_index), pick(rendered_index)])
        return lifter_loss(lifter(features[index].to(config.device)), targets[index].to(config.device))

    train("lifter", {"lifter": lifter}, loss_of, config.lifter_steps, config.lifter_learning_rate, config)
    calibrate(lifter, held_out)
    return lifter


def lifter_data(config: SFTConfig, pool):
    """Simulated readings, renders, renders stretched to other proportions, and the mirror images of renders.

    Returns:
        landmark features (N, 201), true local rotations (N, 24, 3, 3), which rows are rendered (N,), and the tenth of
        the renders that is kept for `calibrate` (arrays of `photos.load_renders`).
    """
    rng = np.random.default_rng(config.seed)
    weight = stand_more(pool.weight, pool.axis_angle)
    renders = photos.load_renders(render_photos(config, pool))
    kept = max(1, len(renders["index"]) // 10)
    held_out = {key: value[:kept] for key, value in renders.items()}
    renders = {key: value[kept:] for key, value in renders.items()}
    errors = photos.ReadingErrors.fit(renders)
    poses = pool.axis_angle[draw(weight, config.num_simulated, torch.Generator().manual_seed(config.seed + 1))]
    simulated = photos.simulate_landmarks(poses, errors, rng)
    weight = stand_more(torch.ones(len(renders["index"])).double(), torch.from_numpy(renders["axis_angle"]))
    again = draw(weight, STRETCHED * len(weight), torch.Generator().manual_seed(config.seed + 2)).numpy()
    stretched = photos.stretch_renders({key: value[again] for key, value in renders.items()}, rng)

    features, targets = [], []
    for rows, both in ((simulated, False), (renders, True), (stretched, True)):
        read = readings_of(rows)
        turned = torch.from_numpy(rows["axis_angle"])
        features.append(landmark_features(*read))
        targets.append(turned)
        if both:
            features.append(landmark_features(*mirror_landmarks(*read), rows["frame"]))
            targets.append(mirror(turned))
    rendered = torch.arange(sum(map(len, features))) >= len(features[0])
    return torch.from_numpy(np.concatenate(features)), roma.rotvec_to_rotmat(torch.cat(targets)), rendered, held_out


def render_photos(config: SFTConfig, pool) -> Path:
    """The folder of the rendered training photos, which are made on first use."""
    folder = Path(config.renders) / "train"
    weight = stand_more(pool.weight, pool.axis_angle)
    axis_angle = pool.axis_angle[draw(weight, config.num_renders, torch.Generator().manual_seed(config.seed))]
    photos.render_dataset(axis_angle.numpy(), folder, config.num_renders, config.seed, "train")
    return folder


def stand_more(weight: torch.Tensor, axis_angle: torch.Tensor) -> torch.Tensor:
    """Weights (N,) of poses (N, 24, 3) changed so that STANDING of all draws are people who stand straight.

    Mocap's people are always about to move; those in photos mostly stand.
    """
    joints = torch.cat([forward_kinematics(roma.rotvec_to_rotmat(part))[0] for part in axis_angle.split(20_000)])
    stands = stands_straight(joints)
    share = (weight * stands).sum() / weight.sum()
    if share in (0, 1):
        return weight
    return weight * torch.where(stands, STANDING / share, (1 - STANDING) / (1 - share))


@torch.no_grad()
def calibrate(lifter: Lifter, renders: dict) -> None:
    """Scale the lifter's standard deviations so that 68% of angles are within one of them on unseen renders."""
    low, high = -1.0, 1.5
    bias = lifter.net.leave.bias[-DIM:]
    start = bias.clone()
    for _ in range(10):
        middle = (low + high) / 2
        bias.copy_(start + middle)
        truth = roma.rotvec_to_rotmat(torch.from_numpy(renders["axis_angle"]))
        inside = calibration(lift(lifter, *readings_of(renders)), truth)["angles_inside"]
        low, high = (middle, high) if inside < 100 * INSIDE else (low, middle)


def lifter_loss(distribution, target: torch.Tensor):
    """Joint and global rotation distance of the mean, and the likelihood of the true rotations (B, 24, 3, 3).

    The likelihood sees the mean detached: it teaches the uncertainty without pulling at the estimate.
    """
    mean = distribution.rotations(distribution.mode())
    joints, globals_ = forward_kinematics(mean)
    true_joints, true_globals = forward_kinematics(target)
    joint = (joints - true_joints).norm(dim=-1)[:, list(LIMBS)].mean()
    rotation = (globals_ - true_globals).abs().mean()
    z = (distribution.tangent(target) - distribution.mean[:, 0].detach()) * torch.exp(-distribution.log_std[:, 0])
    likelihood = (0.5 * z.clamp(-10, 10) ** 2 + distribution.log_std[:, 0]).mean()
    return 10 * joint + 2 * rotation + 0.1 * likelihood, {"joint_mm": 1000 * joint.item()}


# ---- 3. talker


def train_talker(config: SFTConfig, pool) -> tuple[Backbone, StatementTokens]:
    """LoRA on replies about poses: half of them asked for in words; the other half by "Describe the pose.", of a model
    that sees with a picture. The language model's rounding is NF4's throughout."""
    backbone = Backbone.load(
        config.backbone, trainable=True, device=config.device, lora_rank=config.lora_rank, dequantize=config.dequantize,
        gradient_checkpointing=config.gradient_checkpointing, attn_implementation=config.attn_implementation,
    )  # fmt: skip
    tokens = StatementTokens(len(posecodes.NAMES), backbone.hidden_size).to(config.device)
    with torch.no_grad():  # a statement starts out as the mean of the words that say it
        for i in range(len(posecodes.NAMES)):
            words = torch.tensor(backbone.words(" " + captions.phrase(i)), device=config.device)
            tokens.embedding.weight[i] = backbone.embed(words).float().mean(0)
    half = config.talker_batch // 2
    weights = datasets.rarity(pool.scores)
    shown = Photos(render_photos(config, pool), sees=True) if backbone.sees else None

    def loss_of(generator):
        poses = draw(pool.weight, 2 * half, generator)
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        told = datasets.write_captions(pool, poses[:half], rng, weights)
        asked, scores = [caption.text for caption in told], pool.scores[poses]
        if shown is None:
            return answer_loss(backbone, tokens, ask(backbone, [*asked, *[DESCRIBE] * half], []), scores), {}
        seen = shown.batch(torch.randint(len(shown), (half,), generator=generator).tolist())
        pictures = [open_one() for open_one in seen.pictures]
        words = answer_loss(backbone, tokens, ask(backbone, asked, []), scores[:half])
        sight = answer_loss(
            backbone,
            tokens,
            ask(backbone, seen.asked, pictures),
            posecodes.scores(torch.stack(seen.columns["target"])),
        )
        return (words + sight) / 2, {"words": words.item(), "sight": sight.item()}

    modules = {"lora": backbone, "tokens": tokens}
    train("talker", modules, loss_of, config.talker_steps, config.lora_learning_rate, config, weight_decay=0.0)
    return backbone, tokens


def answer_loss(backbone: Backbone, tokens: StatementTokens, start: Prefill, scores: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of what our rules say of poses, from their statement scores (B, S), after B prompts that were read.

    An answer is `<POSE>`, the pose's statements, which are given and not predicted, `<POSE>`, words.
    """
    rows = [
        torch.tensor([backbone.pose_id, *statement_ids(row), *backbone.reply(captions.describe(row))])
        for row in scores.numpy()
    ]
    answer = pad_sequence(rows, True, backbone.tokenizer.eos_token_id).to(start.mask.device)
    present = pad_sequence([torch.ones(len(row), dtype=torch.bool) for row in rows], True).to(start.mask.device)
    predicted = present & (answer >= 0)
    return cross_entropy(answer_logits(backbone, tokens, start, answer, present, predicted), answer[predicted])


# ---- 4. reader


def train_reader(config: SFTConfig, pool) -> Reader:
    """MiniLM's upper layers and the queries, on captions that are written afresh for every step."""
    named = lexicon()[1]
    number = {unit.statements: k for k, unit in enumerate(named)}
    reader = Reader.load([captions.title(unit) for unit in named], datasets.recipes()[:-1]).to(config.device)
    reader.learn_compatible(pool.scores.to(config.device))
    weight, rarity = datasets.caption_weight(pool), datasets.rarity(pool.scores)

    def loss_of(generator):
        poses = draw(weight, config.reader_batch, generator)
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        told = sorted(datasets.write_captions(pool, poses, rng, rarity), key=lambda caption: len(caption.text))
        texts, part = [caption.text for caption in told], -(-len(told) // 4)  # parts of like length: little padding
        read = [reader(texts[i : i + part]) for i in range(0, len(texts), part)]
        wanted = datasets.asserted([caption.statements for caption in told])
        about = torch.tensor([number[c.about.statements] if c.about else len(number) for c in told])
        return reading_loss(*map(torch.cat, zip(*read, strict=True)), wanted.to(config.device), about.to(config.device))

    modules = {"encoder": reader.encoder, "queries": reader.queries}
    rates = {"encoder": config.encoder_learning_rate, "queries": config.reader_learning_rate}
    train("reader", modules, loss_of, config.reader_steps, rates, config, 0.01)
    return reader


def reading_loss(statements: torch.Tensor, names: torch.Tensor, wanted: torch.Tensor, about: torch.Tensor):
    """Binary cross-entropy of statements, a made one weighing 3, and a little cross-entropy of names.

    Args:
        statements, names: a reader's logits (B, S) and (B, U + 1).
        wanted: (B, S) in [0, 1], about: (B,) the named pose, or U.
    Returns:
        The loss, and the shares of captions whose statements and whose name were read without any mistake.
    """
    weight = torch.tensor(3.0, device=statements.device)
    loss = binary_cross_entropy_with_logits(statements, wanted, pos_weight=weight) + 0.02 * cross_entropy(names, about)
    exact = ((statements > 0) == (wanted > 0.5)).all(1).float().mean().item()
    return loss, {"read_exactly": exact, "named": (names.argmax(-1) == about).float().mean().item()}
