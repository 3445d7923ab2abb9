"""Rewards: plain functions in TRL's form plus poses, every one bounded in [0, 1].

A function called reward_NAME is the reward NAME. It is called with keywords and returns a list of floats, None where it
does not apply. If it has a parameter `poses` it is about poses: poses is (R, 24, 3, 3) rotations on the CPU, and every
list has R entries. If not, it is about the words, and every list has one entry an answer: TRL's own rewards fit.
Columns of the data, lists with None where a row has none: statements (indices that the prompt asks for), target
(24, 3, 3), landmarks_2d (33, 2) pixels with visibility (33,) and frame (2,), reference (a reply), shown (S,) statement
scores of the answer's pose. `reader` and `matcher` are bound by the trainer: partial(reward_truth, reader=reader).
"""

import importlib.util
import inspect
import math
import re
import sys
import traceback
from pathlib import Path

import numpy as np
import torch

from finetune.data.families import _TORSO, LIMITS, TORSO_RADIUS
from finetune.retrieval import sentence_embeddings
from posegen import captions, posecodes
from posegen.backbone import POSE_TOKEN
from posegen.camera import FOCAL
from posegen.photo import LIMB_LANDMARKS
from posegen.refine import translations
from posegen.skeleton import LIMBS, forward_kinematics

ARM_JOINTS = [18, 19, 20, 21, 22, 23]
OTHER_JOINTS = [j for j in range(24) if j not in ARM_JOINTS]
TELLING = torch.tensor([captions.how_telling(i) for i in range(len(posecodes.STATEMENTS))])
MIRRORED = torch.tensor(posecodes.MIRROR_STATEMENT)
CLAUSE_ENDS = re.compile(r",\s*(?:and\s+)?|\s+(?:and|with|while)\s+")


class RewardError(ValueError):
    """A reward that does not exist or does not work; the message is one sentence that names it."""


def where_given(score, *columns) -> list[float | None]:
    """score(*columns) -> (K,) of the K rows that have an entry in every column; None for the others."""
    count = len(columns[0])
    rows = [i for i in range(count) if all(c is not None and c[i] is not None for c in columns)]
    out = [None] * count
    if rows:
        given = (c[rows] if isinstance(c, torch.Tensor) else [c[i] for i in rows] for c in columns)
        for i, value in zip(rows, score(*given).tolist(), strict=True):
            out[i] = value
    return out


def stack(values) -> torch.Tensor:
    """K arrays of one shape as a float32 tensor (K, ...)."""
    return torch.stack([torch.as_tensor(value, dtype=torch.float32) for value in values])


def words(completion: str) -> str:
    """What an answer says after the `<POSE>` that it begins with."""
    return completion.removeprefix(POSE_TOKEN).strip()


# ---- about the words


def reward_format(completions, **columns):
    """1 if the answer is "<POSE> " and one sentence of 3 to 40 words, else 0.

    The sentence begins with a capital, ends with a full stop, and holds no other ".", "!" or "?", line break or <POSE>.
    Cheated by any sentence, true or not, always the same one or nonsense: weigh it together with `truth`.
    """
    return [float(is_well_formed(completion)) for completion in completions]


def is_well_formed(completion: str) -> bool:
    lead, text = completion[: len(POSE_TOKEN) + 1], completion[len(POSE_TOKEN) + 1 :]
    count = sum(any(c.isalpha() for c in word) for word in text.split())
    one_sentence = text.endswith(".") and not any(mark in text[:-1] for mark in ".!?")
    plain = POSE_TOKEN not in text and len(text.splitlines()) == 1 and text == text.strip()
    return lead == f"{POSE_TOKEN} " and text[:1].isupper() and one_sentence and plain and 3 <= count <= 40


def reward_truth(completions, *, reader, shown=None, **columns):
    """Share of the statements read in the reply that the answer's pose shows, within tolerance; in [0, 1].

    0 where the reply asserts nothing. Cheated by saying one safe thing (that the head is upright) of every pose, and by
    wordings that the reader misreads; `text_similarity` asks for the rest.
    """

    def score(completions, shown):
        unique = list(dict.fromkeys(completions))
        read = reader.read([words(text) for text in unique]).probabilities.cpu() > 0.5
        said = read[[unique.index(text) for text in completions]]
        return (said & posecodes.holds(stack(shown))).sum(1) / said.sum(1).clamp_min(1)

    return where_given(score, completions, shown)


def reward_clauses(completions, *, reader, shown=None, **columns):
    """Clauses of the reply that say something of the pose that is true and new, less half of the others, in [0, 1].

    A clause ("the torso upright") is read by itself: nothing is read in an empty one ("the left hand on the body"), and
    nothing new in one said before. Divided by at least four, or by as many as the pose has to tell, so that silence
    does not pay; nor does a guess. What our rules say earns 0.8. Cheated by wordings that the reader misreads, and by
    what is true of most poses: `telling` weighs what is said.
    """

    def score(completions, shown):
        values = []
        for said, scores in zip(read_clauses(completions, reader), stack(shown), strict=True):
            good = sum(bool(new.any()) for new in true_and_new(said, posecodes.holds(scores)))
            to_tell = min(4, len(captions.telling(scores.numpy())))
            values.append(max(0, good - (len(said) - good) / 2) / max(len(said), to_tell, 1))
        return torch.tensor(values)

    return where_given(score, completions, shown)


def reward_telling(completions, *, reader, shown=None, **columns):
    """What the reply tells of the pose, as a share of the four most telling things about it, in [0, 1].

    Clauses are read as in `clauses`. One that is true and new counts as much as the most telling of its new statements
    (`captions.how_telling`: sitting 6, the torso upright 0.4), half of it if the other side of the body shows the same
    and it does not say so; a false one costs half of its most telling false statement, an empty or repeated one a half.
    What our rules say earns 0.82. Cheated by wordings that the reader misreads.
    """

    def score(completions, shown):
        values = []
        for said, scores in zip(read_clauses(completions, reader), stack(shown), strict=True):
            holds, total = posecodes.holds(scores), 0.0
            for asserted, new in zip(said, true_and_new(said, holds), strict=True):
                wrong = asserted & ~holds
                if new.any():
                    half = (holds & ~asserted)[MIRRORED]
                    total += torch.where(half, TELLING / 2, TELLING)[new].max().item()
                else:
                    total -= (TELLING[wrong].max().item() if wrong.any() else 1.0) / 2
            best = sum(TELLING[list(group)].max().item() for group in captions.told(scores.numpy())[:4])
            values.append(min(max(0.0, total) / max(best, 1.0), 1.0))
        return torch.tensor(values)

    return where_given(score, completions, shown)


def read_clauses(completions: list[str], reader) -> list[list[torch.Tensor]]:
    """For each answer what each of its clauses asserts when read by itself: (S,) bool."""
    said = [clauses(words(text)) for text in completions]
    unique = list(dict.fromkeys(clause for row in said for clause in row))
    read = {}
    for i in range(0, len(unique), 64):
        part = reader.read(unique[i : i + 64]).probabilities.cpu() > 0.5
        read |= dict(zip(unique[i : i + 64], part, strict=True))
    return [[read[clause] for clause in row] for row in said]


def true_and_new(said: list[torch.Tensor], holds: torch.Tensor) -> list[torch.Tensor]:
    """Of what each clause asserts (S,) bool, what none before it did; nothing of a clause that is not all true."""
    before, out = torch.zeros_like(holds), []
    for asserted in said:
        out.append(asserted & ~before & holds[asserted].all())
        before = before | asserted
    return out


def clauses(text: str) -> list[str]:
    """The parts of a sentence such as our rules write, between its commas, "and", "with" and "while"."""
    return [part for part in CLAUSE_ENDS.split(text.strip().rstrip(".")) if any(c.isalpha() for c in part)]


def reward_text_similarity(completions, reference=None, **columns):
    """(1 + cosine) / 2 of the sentence embeddings (MiniLM) of reply and reference, in [0, 1]; 0 for an empty reply.

    Cheated by the reference's words in any order and with left and right exchanged: embeddings hardly notice.
    """

    def score(completions, reference):
        texts = [words(text) for text in [*completions, *reference]]
        unique = list(dict.fromkeys(texts))
        found = torch.nn.functional.normalize(sentence_embeddings(unique))[[unique.index(text) for text in texts]]
        empty = torch.tensor([not text for text in texts[: len(completions)]])
        return ((1 + (found[: len(completions)] * found[len(completions) :]).sum(1)) / 2).clamp(0, 1).where(~empty, 0)

    return where_given(score, completions, reference)


# ---- about poses


def reward_semantic(prompts, poses, *, matcher, landmarks_2d=None, **columns):
    """(1 + cosine) / 2 of the matcher's embeddings of prompt and pose, in [0, 1]; None for photos.

    `matcher.similarity(texts, rotations)` -> (R,) cosines. A network can be fooled: poses that no body takes may score
    high. Judge with another matcher, and weigh it together with `statements` and `plausible`.
    """
    score = lambda poses, texts: ((1 + torch.as_tensor(matcher.similarity(texts, poses))) / 2).clamp(0, 1)  # noqa: E731
    photos = landmarks_2d or [None] * len(prompts)
    return where_given(score, poses, [p if photo is None else None for p, photo in zip(prompts, photos, strict=True)])


STATEMENT_MARGIN = 1.0  # tolerances (10 degrees, 5 cm) by which a statement should hold: people want it plain to see
STATEMENT_SCALE = 3.0  # tolerances over which a statement's credit falls to 1 / e


def reward_statements(poses, statements=None, **columns):
    """Mean over the prompt's statements of exp(min(score - 1, 0) / 3), in (0, 1]: 1 if all hold by a tolerance.

    The score is in tolerances: a statement that holds just so (0) earns 0.72, one that is off by 90 degrees 0.04.
    Cheated by poses in which the named parts are right and the others are nobody's: `plausible`, and the KL leash.
    """

    def score(poses, statements):
        asked = torch.zeros(len(poses), len(posecodes.STATEMENTS))
        for row, indices in zip(asked, statements, strict=True):
            row[list(indices)] = 1
        credit = ((posecodes.scores(poses) - STATEMENT_MARGIN).clamp(max=0) / STATEMENT_SCALE).exp()
        return (credit * asked).sum(1) / asked.sum(1)

    return where_given(score, poses, statements and [indices or None for indices in statements])


SPATIAL_SCALE = 0.1  # metres


def reward_spatial(poses, target=None, **columns):
    """exp(-error / 0.1 m) of the limb joints' mean distance to the true pose, pelvis on pelvis, in (0, 1].

    Twists of a limb about itself, head and spine are not seen by it: it can be right with a head turned backwards.
    """

    def score(poses, target):
        error = (limb_joints(poses) - limb_joints(stack(target))).norm(dim=-1).mean(1)
        return (-error / SPATIAL_SCALE).exp()

    return where_given(score, poses, target)


def limb_joints(rotations: torch.Tensor) -> torch.Tensor:
    """(R, 12, 3) limb joints in metres, the pelvis at the origin."""
    return forward_kinematics(rotations)[0][:, list(LIMBS)]


REPROJECTION_SCALE = 0.2  # of the person's size, the median distance of limb landmarks from their middle


def reward_reprojection(poses, landmarks_2d=None, visibility=None, frame=None, **columns):
    """Mean over the limb landmarks, weighted by visibility, of exp(-error / 0.2 sizes), in (0, 1]; needs no 3D truth.

    Errors are between landmarks and projected joints, the camera being where they agree best: least squares, weighted
    again by 1 / (0.2**2 + error**2) so that a wrong landmark costs little more than its own share. Cheated in depth,
    which is not seen: a limb may point to the camera or away from it; weigh it together with `plausible`.
    """

    def score(poses, landmarks_2d, visibility, frame):
        at = list(LIMB_LANDMARKS)
        joints, frame = limb_joints(poses), stack(frame)[:, None]
        weight = stack(visibility)[:, at].clamp(0.05, 1)
        seen = (stack(landmarks_2d)[:, at] - frame / 2) * torch.tensor([1.0, -1.0])
        seen = seen / (FOCAL * frame.amax(-1, keepdim=True))  # X / -Z and Y / -Z, (K, 12, 2)
        middle = seen.median(1, keepdim=True).values
        size = (seen - middle).norm(dim=-1).median(1, keepdim=True).values.clamp_min(1e-6)
        trust = weight
        for _ in range(5):
            points = joints + translations(joints, seen, trust)[:, None]
            error = (points[..., :2] / -points[..., 2:].clamp(max=-0.1) - seen).norm(dim=-1) / size
            trust = weight / (REPROJECTION_SCALE**2 + error**2)
        return (weight * (-error / REPROJECTION_SCALE).exp()).sum(1) / weight.sum(1)

    return where_given(score, poses, landmarks_2d, visibility, frame)


def reward_plausible(poses, **columns):
    """1 / (1 + v), in (0, 1]; v = excess over joint limits / 10 degrees + limbs too deep in the body or floor / 5 cm.

    1 for whatever `families.plausible` and `above_floor` let pass; hands may carry who stands on them. Cheated by
    standing still whatever was asked: weigh it below the rewards for the task.
    """
    positions, globals_ = forward_kinematics(poses)
    cosine = (poses[:, list(LIMITS)].diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    turned = torch.rad2deg(cosine.clamp(-1, 1).arccos()) - torch.tensor(list(LIMITS.values()))  # (R, 19)
    depth = torch.stack([*depths_in_body(positions, globals_), depth_in_floor(positions)], 1)
    return (1 / (1 + turned.clamp_min(0).sum(1) / 10 + depth.clamp_min(0).sum(1) / 0.05)).tolist()


VARIETY_SCALE = 0.2  # metres


def reward_variety(prompts, poses, landmarks_2d=None, **columns):
    """1 - exp(-d / 0.2 m), in [0, 1); d = mean distance of the limb joints to those of the group's other poses.

    A group is what answers the same prompt or the same person's landmarks. Rewards for a task make samples alike; this
    one keeps apart what the prompt leaves open, or the photo: `spatial` and it, weighed alike, are nearly the energy
    score, a proper rule, which is highest where samples differ as much as they err. 0 for the only pose of a group.
    Cheated by limbs thrown about: weigh it with `plausible` and, for words, below the rewards for the task.
    """
    photos = landmarks_2d or [None] * len(prompts)
    groups = [p if photo is None else np.asarray(photo).tobytes() for p, photo in zip(prompts, photos, strict=True)]
    joints, out = limb_joints(poses), torch.zeros(len(poses))
    for group in set(groups):
        rows = torch.tensor([other == group for other in groups]).nonzero()[:, 0]
        apart = (joints[rows, None] - joints[rows]).norm(dim=-1).mean(-1).sum(1) / max(len(rows) - 1, 1)
        out[rows] = 1 - (-apart / VARIETY_SCALE).exp()
    return out.tolist()


def depth_in_floor(p: torch.Tensor) -> torch.Tensor:
    """(R,) metres by which the arms of joints (R, 24, 3) are more than 6 cm below all else; none for a handstand."""
    height = p[..., 1]
    on_hands = (height[:, [7, 8]].mean(1) > height[:, 0]) & (height[:, 0] > height[:, [16, 17]].mean(1))
    depth = height[:, OTHER_JOINTS].amin(1) - 0.06 - height[:, ARM_JOINTS].amin(1)
    return depth.where(~on_hands, 0)


def depths_in_body(p: torch.Tensor, g: torch.Tensor) -> list[torch.Tensor]:
    """How far (R,) in metres poses go beyond each bound of `families.plausible`; 0 or less where they keep it.

    p: (R, 24, 3) joints, g: (R, 24, 3, 3) global rotations.
    """
    ball = lambda joint, *offset: p[:, joint] + g[:, joint] @ p.new_tensor(offset)  # noqa: E731
    torso = [ball(joint, x, up, front) for joint, up, front in _TORSO for x in (-0.05, 0.05)]
    torso, head = torch.stack(torso, 1), ball(15, 0.0, 0.07, 0.03)[:, None]
    out = [0.05 - (p[:, 22] - p[:, 23]).norm(dim=-1)]  # hands
    out += [0.035 - gap(along(p[:, 18], p[:, 20], 0.2, 0.36, 0.52, 0.68, 0.84, 1.0), p[:, 19], p[:, 23])]  # forearms
    for side in (0, 1):
        shoulder, elbow, wrist, hand, hip, knee, ankle = (p[:, j + side] for j in (16, 18, 20, 22, 1, 4, 7))
        # elbows bend forwards and knees backwards in the frame of the bone above
        forearm, shin = inside(g[:, 16 + side], wrist - elbow), inside(g[:, 1 + side], ankle - knee)
        upper = inside(g[:, 9], elbow - shoulder)
        out += [-0.10 - forearm[:, 2], shin[:, 2] - 0.10, -0.25 - upper[:, 2], -0.20 - upper[:, 0] * (1 - 2 * side)]
        arm = torch.cat([along(elbow, wrist, 0.45, 0.8), along(wrist, hand, 0.0, 0.6, 1.0)], 1)
        out += [TORSO_RADIUS - torch.cdist(arm, torso).amin((1, 2)), 0.09 - torch.cdist(arm, head).amin((1, 2))]
        out += [0.055 - gap(arm, p[:, 1 + leg], p[:, 4 + leg]) for leg in (0, 1)]
        out += [0.045 - gap(arm, p[:, 4 + leg], p[:, 7 + leg]) for leg in (0, 1)]
        other_hip, other_knee, other_ankle = (p[:, j + 1 - side] for j in (1, 4, 7))
        calf = along(knee, ankle, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
        thigh = along(hip, knee, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
        out += [0.055 - gap(calf, other_hip, other_knee), 0.055 - gap(thigh, other_hip, other_knee)]
        out += [0.05 - gap(calf, other_knee, other_ankle)]
    return out


def inside(frames: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Vectors (R, 3) in the coordinates of frames (R, 3, 3)."""
    return (frames * vectors[..., None]).sum(-2)


def along(a: torch.Tensor, b: torch.Tensor, *steps: float) -> torch.Tensor:
    """(R, len(steps), 3) points on segments from a (R, 3) to b (R, 3)."""
    return a[:, None] + a.new_tensor(steps)[:, None] * (b - a)[:, None]


def gap(points: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(R,) smallest distance of points (R, K, 3) to segments from a (R, 3) to b (R, 3)."""
    d = (b - a)[:, None]
    t = ((points - a[:, None]) * d).sum(-1, keepdim=True) / d.square().sum(-1, keepdim=True).clamp_min(1e-9)
    return (points - a[:, None] - t.clamp(0, 1) * d).norm(dim=-1).amin(1)


# ---- all together


def rewards_of(module: str, namespace: dict) -> dict:
    """NAME -> function of the functions reward_NAME that a module defines itself."""
    own = {k: f for k, f in namespace.items() if inspect.isfunction(f) and f.__module__ == module}
    return {k.removeprefix("reward_"): f for k, f in own.items() if k.startswith("reward_")}


REWARDS = rewards_of(__name__, dict(globals()))


def about_poses(reward) -> bool:
    """Whether a reward scores poses; if not, it scores the words."""
    return "poses" in inspect.signature(reward).parameters


def load(path) -> dict:
    """The rewards of a user's Python file: its functions reward_NAME, and `reward` under the file's name.

    Raises:
        RewardError: there is no such file, it cannot be run, or it defines no reward of its own name.
    """
    path = Path(path)
    if not path.is_file() or path.suffix != ".py":
        raise RewardError(f"There is no Python file {path}; check the path of the reward file.")
    name = f"reward_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RewardError(f"The reward file {path.name} cannot be run: {told(error)}.") from error
    found = rewards_of(name, vars(module))
    if inspect.isfunction(vars(module).get("reward")):
        found[path.stem] = module.reward
    if not found:
        raise RewardError(f"The reward file {path.name} defines no function `reward` or `reward_NAME`.")
    for taken in sorted(found.keys() & REWARDS.keys()):
        raise RewardError(
            f"The reward file {path.name} defines {taken!r}, which is a shipped reward; choose a new name."
        )
    return found


def told(error: Exception) -> str:
    """An exception in a few words on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(".: ")


def check_weights(weights: dict[str, float], rewards: dict = REWARDS) -> dict[str, float]:
    """The weights that are not 0.

    Raises:
        RewardError: a reward that does not exist, or a weight that is not a finite number.
    """
    for name, weight in weights.items():
        if name not in rewards:
            raise RewardError(f"There is no reward {name!r}; there are {', '.join(rewards)}.")
        if not isinstance(weight, int | float) or not math.isfinite(weight):
            raise RewardError(f"The weight of the reward {name!r} must be a number, but it is {weight!r}.")
    return {name: weight for name, weight in weights.items() if weight != 0}


def call(name: str, reward, count: int, **given) -> torch.Tensor:
    """(count,) values of one reward, NaN for None.

    Raises:
        RewardError: it raises, or returns something else than `count` finite numbers and None.
    """
    try:
        values = reward(**given)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:2]
        where = "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in frames)
        raise RewardError(
            f"The reward {name!r} failed{where} with {told(error)}; mend it or set its weight to 0."
        ) from error
    try:
        values = [math.nan if value is None else check_number(value) for value in values]
    except (TypeError, ValueError) as error:
        raise RewardError(f"The reward {name!r} must return a list of finite numbers or None, but {error}.") from None
    if len(values) != count:
        raise RewardError(
            f"The reward {name!r} returned {len(values)} values for {count} rows; it must return one each."
        )
    return torch.tensor(values, dtype=torch.float32)


def check_number(value) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"it returned {number}")
    return number


@torch.no_grad()
def evaluate_rewards(weights, prompts, completions, poses, columns, valid=None, rewards=REWARDS):
    """Weighted sums of rewards, and each reward's mean for the log.

    Args:
        weights: reward -> weight; those of weight 0 are not computed.
        prompts, completions: N strings. columns: name -> N entries, None where a row has none.
        poses: (N, M, 24, 3, 3) rotations. valid: (N,) bool, which answers have poses; all by default.
        rewards: name -> function; REWARDS with reader and matcher bound, and the user's own.
    Returns:
        (N,) for the words and (N, M) for the poses, NaN where no reward applies or the pose is not valid; and
        {"rewards/NAME/mean": float} over the rows to which NAME applies, left out if there are none.
    """
    answers, each = poses.shape[:2]
    valid = torch.ones(answers, dtype=torch.bool) if valid is None else valid.cpu()
    rows = [i for i in range(answers) if valid[i] for _ in range(each)]
    given = {"prompts": prompts, "completions": completions, **columns}
    of_poses = {name: [values[i] for i in rows] for name, values in given.items()}
    of_poses["poses"] = poses.detach().float().cpu()[valid].flatten(0, 1)
    text, pose, means = torch.full((answers,), torch.nan), torch.full((len(rows),), torch.nan), {}
    for name, weight in check_weights(weights, rewards).items():
        if about_poses(rewards[name]):
            values = call(name, rewards[name], len(rows), **of_poses)
            pose = added(pose, weight * values)
        else:
            values = call(name, rewards[name], answers, **given)
            text = added(text, weight * values)
        if not values.isnan().all():
            means[f"rewards/{name}/mean"] = values.nanmean().item()
    out = torch.full((answers, each), torch.nan)
    out[valid] = pose.view(-1, each)
    return text, out, means


def added(total: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The sum, where NaN counts as nothing unless both are."""
    return torch.where(values.isnan(), total, total.nan_to_num() + values)
