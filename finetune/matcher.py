"""Text-pose matchers: words and poses in one space of 128 dimensions, where what belongs together points alike.

There are two. "reward" is a reward of HyGRPO. "judge" is for evaluation only: a policy that learns to please the first
need not please the second, which has other towers, another seed, and other training poses (`halves`).

    reward   tokens of the frozen MiniLM -> attention pooling -> MLP; local rotations and joint positions -> MLP
    judge    hashed words -> GRU, hashed word pairs -> bag, both -> MLP; 24 joints (global rotations) -> transformer
"""

import os
import re
import zlib
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import roma
import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from finetune import loop
from finetune.config import ConfigError, check_not_negative
from finetune.data import datasets
from finetune.sft import draw
from posegen.head import ResidualMLP
from posegen.reader import Reader
from posegen.skeleton import forward_kinematics, remove_yaw

DIM = 128
FOLDER = Path(__file__).resolve().parent.parent / "assets" / "matchers"
BATCH = 256  # texts or poses embedded at a time
#: What recall is measured among: all N poses, or pools of one true and 31 random ones (R-precision of motion papers).
PROTOCOLS = {"full_set": None, "random_pools_of_32": 32}


class MatcherError(ValueError):
    """A matcher that cannot be loaded; the message says what to do."""


@dataclass
class MatcherConfig:
    """One matcher: symmetric InfoNCE on captions of its half of the training poses."""

    kind: str = "reward"
    """reward or judge."""
    poses: str = "../shared/data/mocap/poses.npz"
    """Pose file of the project; every tenth clip is held out."""
    run_dir: str = "runs/matchers"
    """Checkpoints and logs; a run that was stopped goes on from here."""
    output_dir: str = "assets/matchers"
    """Where KIND.safetensors is written."""
    device: str = "cpu"
    seed: int = 0
    """Of the pool; both matchers are to be given the same one, and learn with different ones made from it."""

    num_families: int = 40_000
    num_recombined: int = 36_000
    num_named: int = 30
    """The pool of training poses, as in stage 1."""
    num_captions: int = 100_000
    """Captions that are written at the start; each is met steps * batch / num_captions times."""
    steps: int = 4_000
    batch: int = 256
    learning_rate: float = 1e-3
    save_seconds: float = 60.0
    """Time between checkpoints."""

    def __post_init__(self):
        if self.kind not in TOWERS:
            raise ConfigError(f"kind must be one of {', '.join(TOWERS)}, but it is {self.kind!r}.")
        check_not_negative(self)
        if self.batch < 2:
            raise ConfigError(f"batch must be at least 2, for a caption to have other poses, but it is {self.batch}.")


# ---- towers


@cache
def minilm(device: str) -> Reader:
    """The untouched sentence encoder, in bfloat16 (three times as fast)."""
    reader = Reader.load([], torch.zeros(0, 1)).to(device).eval().requires_grad_(False)
    reader.encoder.bfloat16()
    return reader


class RewardText(nn.Module):
    """Frozen token states -> H attention queries, each with its own look at what it finds -> MLP."""

    def __init__(self, hidden_size: int = 384, heads: int = 32, width: int = 32):
        super().__init__()
        self.key = nn.Linear(hidden_size, 2 * width)
        self.query = nn.Parameter(torch.randn(heads, 2 * width) * 0.1)
        self.value = nn.Parameter(torch.randn(heads, hidden_size, width) / hidden_size**0.5)
        self.mlp = nn.Sequential(
            nn.LayerNorm(heads * width), nn.Dropout(0.1), nn.Linear(heads * width, 256), nn.GELU(), nn.Linear(256, DIM)
        )

    @torch.no_grad()
    def prepare(self, texts: list[str]) -> list[torch.Tensor]:
        """The token states (T, 384) bfloat16 of each text, which never change."""
        reader = minilm(str(self.key.weight.device))
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # texts of like length: little padding
        out = [None] * len(texts)
        for i in range(0, len(order), 64):
            some = order[i : i + 64]
            for j, states, shown in zip(some, *reader.encode([texts[j] for j in some]), strict=True):
                out[j] = states[shown]
        return out

    def forward(self, states: list[torch.Tensor]) -> torch.Tensor:
        """(B, 128) of what `prepare` made of B texts."""
        lengths = torch.tensor([len(rows) for rows in states], device=self.query.device)
        h = pad_sequence(states, batch_first=True).float()
        shown = torch.arange(h.shape[1], device=h.device) < lengths[:, None]
        scores = torch.einsum("hd,btd->bht", self.query, self.key(h)) / self.query.shape[1] ** 0.5
        attention = scores.masked_fill(~shown[:, None], -torch.inf).softmax(-1)
        read = torch.einsum("bhc,hcd->bhd", attention @ h, self.value)
        return self.mlp(read.flatten(1))


class RewardPose(nn.Module):
    """Local rotations in 6D and joint positions in metres -> residual MLP."""

    def __init__(self):
        super().__init__()
        self.net = ResidualMLP(24 * 9, DIM, width=256, depth=2, dropout=0.1)

    def forward(self, rotations: torch.Tensor) -> torch.Tensor:
        """(B, 128) of rotations (B, 24, 3, 3) facing +Z."""
        positions, _ = forward_kinematics(rotations)
        return self.net(torch.cat([rotations[..., :2].flatten(1), positions.flatten(1)], 1))


class JudgeText(nn.Module):
    """Hashed words -> GRU in both directions, hashed pairs of neighbours -> bag, both -> MLP. No pretrained part."""

    def __init__(self, buckets: int = 8192, width: int = 64, pair_width: int = 48, hidden_size: int = 96):
        super().__init__()
        self.words, self.pairs = nn.Embedding(buckets, width), nn.Embedding(buckets, pair_width)
        self.dropout = nn.Dropout(0.1)
        self.gru = nn.GRU(width, hidden_size, batch_first=True, bidirectional=True)
        self.mlp = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(4 * hidden_size + pair_width, 256), nn.GELU(), nn.Linear(256, DIM)
        )

    def prepare(self, texts: list[str]) -> list[torch.Tensor]:
        """(T, 2) buckets of each text's words, after a mark for its beginning, and of the pairs that they end."""
        bucket = lambda term: zlib.crc32(term.encode()) % self.words.num_embeddings  # noqa: E731
        out = []
        for text in texts:
            words = ["^", *re.findall(r"\w+", text.lower())]
            pairs = ["^ ^", *map(" ".join, pairwise(words))]
            out.append(torch.tensor([[bucket(word), bucket(pair)] for word, pair in zip(words, pairs, strict=True)]))
        return out

    def forward(self, buckets: list[torch.Tensor]) -> torch.Tensor:
        """(B, 128) of what `prepare` made of B texts."""
        device = self.words.weight.device
        lengths = torch.tensor([len(rows) for rows in buckets])
        ids = pad_sequence(buckets, batch_first=True).to(device)
        shown = (torch.arange(ids.shape[1]) < lengths[:, None])[..., None].to(device)
        words = self.dropout(self.words(ids[..., 0]))
        packed = pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        h, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        count = shown.sum(1)
        highest = h.masked_fill(~shown, -torch.inf).amax(1)
        bag = (self.pairs(ids[..., 1]) * shown).sum(1) / count
        return self.mlp(torch.cat([h.sum(1) / count, highest, bag], 1))


class JudgePose(nn.Module):
    """24 joints, each with its global rotation in 6D and its position in metres -> transformer -> mean."""

    def __init__(self, width: int = 96, depth: int = 3):
        super().__init__()
        self.enter, self.joint = nn.Linear(9, width), nn.Parameter(torch.randn(24, width) * 0.1)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, depth, nn.LayerNorm(width), enable_nested_tensor=False)
        self.leave = nn.Linear(width, DIM)

    def forward(self, rotations: torch.Tensor) -> torch.Tensor:
        """(B, 128) of rotations (B, 24, 3, 3) facing +Z."""
        positions, globals_ = forward_kinematics(rotations)
        joints = torch.cat([globals_[..., :2].flatten(2), positions], 2)
        return self.leave(self.layers(self.enter(joints) + self.joint).mean(1))


TOWERS = {"reward": (RewardText, RewardPose), "judge": (JudgeText, JudgePose)}


# ---- the matcher


class Matcher(nn.Module):
    """A text tower and a pose tower; kind is "reward" or "judge"."""

    def __init__(self, kind: str):
        super().__init__()
        text, pose = TOWERS[kind]
        self.kind, self.text, self.pose = kind, text(), pose()
        self.log_scale = nn.Parameter(torch.tensor(1 / 0.07).log())  # of the cosines, in the loss

    @torch.no_grad()
    def embed_texts(self, texts: list[str]) -> torch.Tensor:
        """(N, 128) unit vectors of N texts."""
        parts = [self.text(self.text.prepare(texts[i : i + BATCH])) for i in range(0, len(texts), BATCH)]
        return normalize(torch.cat([torch.zeros(0, DIM, device=self.log_scale.device), *parts]), dim=1)

    @torch.no_grad()
    def embed_poses(self, rotations: torch.Tensor) -> torch.Tensor:
        """(N, 128) unit vectors of local rotations (N, 24, 3, 3); where the person faces does not matter."""
        rotations = facing(rotations.detach().to(self.log_scale))
        return normalize(torch.cat([self.pose(part) for part in rotations.split(BATCH)]), dim=1)

    def similarity(self, texts: list[str], rotations: torch.Tensor) -> torch.Tensor:
        """(R,) cosines in [-1, 1] of R texts and the R poses (R, 24, 3, 3) beside them."""
        if len(texts) != len(rotations):
            raise ValueError(f"There must be a text for every pose, but there are {len(texts)} and {len(rotations)}.")
        distinct = {text: i for i, text in enumerate(dict.fromkeys(texts))}  # a prompt has many poses
        row = torch.tensor([distinct[text] for text in texts], dtype=torch.long)
        return (self.embed_texts(list(distinct))[row] * self.embed_poses(rotations)).sum(1)

    def save(self, path) -> None:
        """Write a safetensors file, in float16, so that a kill leaves the old file or the new one."""
        from safetensors.torch import save_file

        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part")
        state = {name: value.half().cpu().contiguous() for name, value in self.state_dict().items()}
        save_file(state, temporary, {"kind": self.kind})
        os.replace(temporary, path)

    @classmethod
    def load(cls, path) -> "Matcher":
        """A matcher of a file of `save`, ready to match. The two that ship: `FOLDER / "reward.safetensors"`, "judge".

        Raises:
            MatcherError: there is no such file, or it is none of these.
        """
        from safetensors import SafetensorError, safe_open

        path = Path(path)
        if not path.is_file():
            raise MatcherError(f"There is no matcher {path.name}; train one with finetune.matcher.train.")
        try:
            with safe_open(path, "pt") as file:
                matcher = cls((file.metadata() or {})["kind"])
                matcher.load_state_dict({name: file.get_tensor(name).float() for name in file.keys()})  # noqa: SIM118
        except (SafetensorError, RuntimeError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise MatcherError(f"{path.name} is damaged or no matcher ({reason}); get the file again.") from error
        return matcher.eval().requires_grad_(False)


def facing(rotations: torch.Tensor) -> torch.Tensor:
    """Local rotations (N, 24, 3, 3) with the person turned towards +Z."""
    root = roma.rotvec_to_rotmat(remove_yaw(roma.rotmat_to_rotvec(rotations[:, :1])))
    return torch.cat([root, rotations[:, 1:]], 1)


# ---- training


def halves(pool, path) -> torch.Tensor:
    """(N,) int64: which matcher may learn from a pose of the pool: 0 reward, 1 judge, -1 none.

    Mocap and its mirror image go by blocks of ten clips of the pose file `path` (neighbours are of one person),
    families and recombined poses by turns. A named pose goes with that one of all these which is nearest to it, since
    it was made of one, and now and then is a copy of it. Recombined poses mix clips of both halves: none learns them.

    Raises:
        DataError: the pool was made of another pose file.
    """
    _, clip = datasets.mocap(path, "train")
    if not len(clip) == (pool.source == 0).sum() == (pool.source == 1).sum():
        raise datasets.DataError(f"The pool of poses was not made of {Path(path).name}; build it again.")
    out = torch.arange(len(pool)) % 2
    out[pool.source == 0] = out[pool.source == 1] = torch.from_numpy(clip // 10 % 2).long()
    joints = [forward_kinematics(roma.rotvec_to_rotmat(part))[0].flatten(1) for part in pool.axis_angle.split(20_000)]
    joints = torch.cat(joints)
    named = torch.nonzero(pool.source == 4)[:, 0]
    made_of = torch.nonzero(pool.source != 4)[:, 0]
    known = joints[made_of].T.contiguous()
    half_square = known.square().sum(0) / 2
    for some in named.split(500):
        out[some] = out[made_of[(joints[some] @ known - half_square).argmax(1)]]
    out[pool.source == 2] = -1
    return out


def contrastive_loss(texts: torch.Tensor, poses: torch.Tensor, log_scale: torch.Tensor):
    """Symmetric InfoNCE of B texts and their B poses (B, 128) each, and how often the own one is nearest."""
    logits = log_scale.clamp(max=4.6).exp() * normalize(texts, dim=1) @ normalize(poses, dim=1).T
    own = torch.arange(len(logits), device=logits.device)
    loss = (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2
    return loss, {"right": (logits.argmax(1) == own).float().mean().item(), "log_scale": log_scale.item()}


def train(config: MatcherConfig, pool=None) -> Matcher:
    """Train a matcher on captions of its half of the pool (built by default) and write it to config.output_dir."""
    Path(config.run_dir).mkdir(parents=True, exist_ok=True)
    if pool is None:
        pool = datasets.build_pool(
            config.poses, "train", config.num_families, config.num_recombined, config.seed, config.num_named
        )
    half = list(TOWERS).index(config.kind)
    seed = 2 * config.seed + half
    torch.manual_seed(seed)
    matcher = Matcher(config.kind).to(config.device)
    weight = torch.where(halves(pool, config.poses) == half, datasets.caption_weight(pool), 0.0)
    index = draw(weight, config.num_captions, torch.Generator().manual_seed(seed))
    told = datasets.write_captions(pool, index, np.random.default_rng(seed))
    inputs = matcher.text.prepare([caption.text for caption in told])
    axis_angle = pool.axis_angle[index]
    loop.log(config.run_dir, stage=config.kind, captions=len(told), poses=len(index.unique()))

    def loss_of(generator):
        rows = torch.randint(len(inputs), (config.batch,), generator=generator)
        rotations = roma.rotvec_to_rotmat(axis_angle[rows]).to(config.device)
        texts = matcher.text([inputs[i] for i in rows.tolist()])
        return contrastive_loss(texts, matcher.pose(facing(rotations)), matcher.log_scale)

    settings = replace(config, seed=seed)
    loop.train(config.kind, {"matcher": matcher}, loss_of, config.steps, config.learning_rate, settings, 0.01)
    matcher.save(Path(config.output_dir) / f"{config.kind}.safetensors")
    return matcher.requires_grad_(False)


# ---- recall


def recall(texts: torch.Tensor, poses: torch.Tensor, k: int, pool: int | None = None, seed: int = 0) -> dict:
    """R@k in per cent: how often the own one of N pairs is among the k most alike. Equals count against it.

    Args:
        texts, poses: (N, 128) unit vectors; row i of one belongs to row i of the other.
        pool: search among `pool` random pairs, the mean over ten partitions of the N; by default among all N.
    Returns:
        {"text_to_pose": per cent, "pose_to_text": per cent}
    """
    n, generator = len(texts), torch.Generator().manual_seed(seed)
    size = pool or n
    if not 0 < size <= n or n != len(poses):
        raise ValueError(f"Pools of {size} cannot be drawn of {n} texts and {len(poses)} poses.")
    draws = [torch.arange(n)] if pool is None else [torch.randperm(n, generator=generator) for _ in range(10)]
    groups = torch.cat([order[: n // size * size].view(-1, size) for order in draws]).to(texts.device)
    found = {"text_to_pose": [], "pose_to_text": []}
    for some in groups.split(100):
        cosine = texts[some] @ poses[some].transpose(1, 2)
        own = cosine.diagonal(dim1=1, dim2=2)
        found["text_to_pose"].append((cosine >= own[:, :, None]).sum(2) <= k)
        found["pose_to_text"].append((cosine >= own[:, None, :]).sum(1) <= k)
    return {way: round(100 * torch.cat(hits).float().mean().item(), 1) for way, hits in found.items()}


def recalls(texts: torch.Tensor, poses: torch.Tensor, ks=(1, 5, 10)) -> dict:
    """`recall` by protocol, direction and k: {"full_set": {"text_to_pose": {"R@1": ...}, ...}, ...}."""
    out = {}
    for name, pool in PROTOCOLS.items():
        at = {f"R@{k}": recall(texts, poses, k, pool) for k in ks}
        out[name] = {way: {key: value[way] for key, value in at.items()} for way in ("text_to_pose", "pose_to_text")}
    return out
