"""PosePolicy: words or a photo in, poses and words out."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from posegen import captions, posecodes
from posegen.backbone import POSE_TOKEN, Backbone, Prefill
from posegen.camera import Camera
from posegen.distribution import PoseDistribution
from posegen.guide import guide
from posegen.head import Lifter, PoseHead, StatementTokens
from posegen.pose import Pose
from posegen.reader import Reader, Reading
from posegen.skeleton import LIMBS, forward_kinematics

DEFAULT = Path(__file__).resolve().parent.parent / "assets" / "policy"
FORMAT = 2
FILES = ("config.json", "named_poses.json", "heads.safetensors", "adapter")
MIN_PACKED = 10_000  # numbers in a matrix that is kept in 8 bits
SCALE = ".scale"
MAX_WORDS = 100
MAX_SAMPLES = 64
MAX_REPLY_TOKENS = 40
MAX_TOLD = 8
DESCRIBE = "Describe the pose."


class PolicyError(ValueError):
    """A policy folder that cannot be used; the message says what to do."""


class PromptError(ValueError):
    """Words that cannot be answered; the message says how to write them."""


@dataclass
class Understood:
    """One statement read out of a prompt: its phrase, how surely it was read, and whether this pose shows it."""

    phrase: str
    probability: float
    holds: bool


@dataclass
class PoseSample:
    """One answer.

    Attributes:
        pose: the pose; in the camera frame for photos.
        text: the reply, beginning with `<POSE>`, about this pose.
        log_prob: log-density in nats of the pose under the policy (60 dimensions, radians).
        statements: what was understood of the prompt (words and edits only).
        name: the named pose that the prompt was taken for, or "".
        camera: what an overlay is drawn with (photos only).
        spread: (24,) degrees by which the prompt leaves each joint's rotation open (words only).
        rewards: name -> value in [0, 1], of whoever judged the pose.
    """

    pose: Pose
    text: str
    log_prob: float
    statements: list[Understood] = field(default_factory=list)
    name: str = ""
    camera: Camera | None = None
    spread: np.ndarray | None = None
    rewards: dict[str, float] = field(default_factory=dict)

    @property
    def worth(self) -> tuple[float, ...]:
        """What samples are ranked by: statements that hold, the rewards together, and what the policy thinks."""
        return sum(s.holds for s in self.statements), sum(self.rewards.values()), self.log_prob


@dataclass
class Person:
    """One person of a photo: box (x0, y0, x1, y1) in pixels of the upright photo, samples, and what was seen."""

    box: tuple[float, float, float, float]
    samples: list[PoseSample]
    seen: "Detection"  # noqa: F821 (posegen.photo's, which is not needed for words)


class PosePolicy:
    """A language model with its reader, pose head and lifter.

    Attributes:
        backbone, reader, head, lifter, tokens: the parts (see reader.py and head.py).
        body: the BodyModel that poses are shown on.
    """

    def __init__(
        self, backbone: Backbone, reader: Reader, head: PoseHead, lifter: Lifter, tokens: StatementTokens, body
    ):
        self.backbone, self.reader, self.head, self.lifter, self.tokens = backbone, reader, head, lifter, tokens
        self.body = body

    @classmethod
    def from_pretrained(
        cls, path=None, body=None, load_in_4bit=True, trainable=False, device="cpu", dequantize=False, **options
    ) -> "PosePolicy":
        """Load a policy.

        Args:
            path: a policy folder or hub id; the embedded default if None.
            body: path of an SMPL-family file; the embedded body if None.
            trainable: LoRA and heads get gradients.
            dequantize: the language model keeps 4 bits' rounding, but its weights lie unpacked (faster, more memory).
            options: gradient_checkpointing and attn_implementation (see `Backbone.load`).
        Raises:
            PolicyError, BackboneError, WeightsError, BodyError: with one sentence that says what to do.
        """
        from posegen.body import BodyModel, embedded_body

        folder = find_folder(path)
        config = read_config(folder)
        shown_on = embedded_body() if body is None else BodyModel.load(body)
        backbone = Backbone.load(
            config["backbone"], folder / "adapter", load_in_4bit, trainable, device, dequantize=dequantize,
            **options,
        )  # fmt: skip
        num_statements = len(posecodes.NAMES)
        parts = {
            "reader": Reader.load(*read_named_poses(base_of(folder, config))),
            "head": PoseHead(num_statements, config["components"]),
            "lifter": Lifter(config["landmark_features"]),
            "tokens": StatementTokens(num_statements, backbone.hidden_size),
        }
        load_heads(dict.fromkeys((base_of(folder, config), folder)), parts)
        for part in parts.values():
            part.to(device).eval().requires_grad_(trainable)
        return cls(backbone, **parts, body=shown_on)

    # ---- words

    def read(self, prompts: list[str]) -> Reading:
        """What prompts say."""
        return self.reader.read([check_prompt(prompt) for prompt in prompts])

    def distribution(self, probabilities: torch.Tensor) -> PoseDistribution:
        """Poses for what was read, (B, S): a statement more likely made than not counts as made, and is obeyed."""
        wanted = (probabilities > 0.5).float()
        return guide(self.head(wanted), wanted)

    @torch.no_grad()
    def text_to_pose(
        self, prompt: str, num_samples=1, temperature=1.0, seed=0, betas=None, reply=True, best_of=0, judge=None
    ) -> list[PoseSample]:
        """Poses that fit words.

        Args:
            prompt: English, at most 100 words.
            temperature: 1 = the learned distribution, 0 = its most probable pose.
            betas: (10,) body shape.
            reply: let the language model tell of each pose, which takes most of the time; else its text is empty.
            best_of: draw so many poses, at least num_samples, and give the best (`PoseSample.worth`), best first; 0: as
                they were drawn.
            judge: f(prompt, rotations (N, 24, 3, 3), understood statements' indices) -> {reward: N values in [0, 1]}.
        Raises:
            PromptError: empty, too long, or not written in Latin letters.
        """
        check_sampling(num_samples, temperature)
        drawn = max(num_samples, best_of)
        check_sampling(drawn, temperature)
        reading = self.read([prompt])
        probabilities = reading.probabilities[0]
        distribution = self.distribution(reading.probabilities)
        x = distribution.sample(drawn, temperature, torch.Generator().manual_seed(seed))
        rotations = distribution.rotations(x)[0].cpu()
        log_prob, spread = distribution.log_prob(x)[0].tolist(), distribution.spread()[0].cpu().numpy()
        scores = posecodes.scores(rotations)
        holds = posecodes.holds(scores)
        understood = [i for i in probabilities.argsort(descending=True).tolist() if probabilities[i] > 0.5]
        rewards = judge(prompt, rotations, understood) if judge else {}
        samples = []
        for n, (r, shown) in enumerate(zip(rotations.numpy(), holds, strict=True)):
            statements = [Understood(captions.phrase(i), probabilities[i].item(), bool(shown[i])) for i in understood]
            pose = Pose(r) if betas is None else Pose(r, betas)
            sample = PoseSample(pose, "", log_prob[n], statements, self.reader.title(reading.name[0]), spread=spread)
            sample.rewards = {name: values[n] for name, values in rewards.items()}
            samples.append(sample)
        order = sorted(range(drawn), key=lambda n: samples[n].worth, reverse=True) if best_of else range(drawn)
        kept = list(order)[:num_samples]
        if reply:
            texts = self.answer(prompt, scores[kept])
            for n, text in zip(kept, texts, strict=True):
                samples[n].text = text
        return [samples[n] for n in kept]

    # ---- photos

    @torch.no_grad()
    def image_to_pose(self, image, num_samples=1, temperature=0.0, seed=0) -> list[Person]:
        """Every person in a photo, largest first.

        Args:
            image: a PIL image, a path or bytes.
        Raises:
            PhotoError: the picture cannot be read, or no person is found in it.
        """
        from posegen.photo import LIMB_LANDMARKS, PhotoError, find_people, load_photo
        from posegen.sight import around

        check_sampling(num_samples, temperature)
        photo = load_photo(image)
        found = find_people(photo)
        if not found:
            raise PhotoError(
                "No person was found in this picture; try one where the whole body is seen and larger in the frame."
            )
        distribution = self.lift(
            np.stack([d.landmarks_2d for d in found]), np.stack([d.landmarks_world for d in found]),
            np.stack([d.visibility for d in found]), photo.size,
        )  # fmt: skip
        x = distribution.sample(num_samples, temperature, torch.Generator().manual_seed(seed))
        rotations, log_prob = distribution.rotations(x).cpu(), distribution.log_prob(x)
        texts = self.tell(distribution.rotations(distribution.mode()).cpu(), [around(photo, d.box) for d in found])
        people = []
        for i, detection in enumerate(found):
            joints = self.body.joints(rotations[i].numpy())
            pixels, weights = detection.landmarks_2d[list(LIMB_LANDMARKS)], detection.visibility[list(LIMB_LANDMARKS)]
            samples = [
                PoseSample(
                    Pose(rotations[i, m].numpy()), texts[i], log_prob[i, m].item(),
                    camera=Camera.fit(joints[m][list(LIMBS)], pixels, *photo.size, weights=weights.clip(0.05)),
                )
                for m in range(num_samples)
            ]  # fmt: skip
            people.append(Person(tuple(map(float, detection.box)), samples, detection))
        return people

    def lift(self, landmarks_2d, landmarks_world, visibility, frame) -> PoseDistribution:
        """Poses of B people behind landmarks (B, 33, 2), (B, 33, 3), (B, 33) of photos of size `frame`."""
        from posegen import refine

        return refine.lift(self.lifter, landmarks_2d, landmarks_world, visibility, frame)

    # ---- edits

    @torch.no_grad()
    def edit(self, pose: Pose, instruction: str, previous: str = "", seed=0, reply=True) -> list[PoseSample]:
        """The pose after an instruction such as "raise the left arm a bit and look at it", as a list of one sample.

        Args:
            instruction: English, at most 100 words; left and right are the person's own.
            previous: the instruction before this one, which "a bit more" or "now the other arm" speak of.
            reply: let the language model tell of the pose, which takes a second; else its text is empty.
        Returns:
            The sample; its statements are what was understood and whether the pose shows it. The feet stay on the
            ground on which they were.
        Raises:
            PromptError: empty, too long, or not written in Latin letters.
            EditError: nothing in it was understood; the message names examples.
        """
        from posegen.edit import edit

        before = torch.from_numpy(pose.rotations)
        after, done = edit(self, before, check_prompt(instruction), previous, seed)
        scores = posecodes.scores(after[None])
        shown = torch.zeros_like(scores)
        shown[0, captions.telling(scores[0].numpy())[:MAX_TOLD]] = 1
        distribution = self.head(shown)
        log_prob = distribution.log_prob(distribution.tangent(after[None]))[0]
        low = [forward_kinematics(r)[0][:, 1].min().item() for r in (before, after)]
        trans = pose.trans + np.array([0, low[0] - low[1], 0], np.float32)
        statements = [Understood(d.told, d.probability, d.holds) for d in done]
        text = self.tell(after[None])[0] if reply else ""
        return [PoseSample(Pose(after.numpy(), pose.betas, trans), text, log_prob.item(), statements)]

    # ---- poses to words

    @torch.no_grad()
    def describe(self, pose: Pose) -> str:
        """One English sentence about a pose."""
        return self.tell(torch.from_numpy(pose.rotations)[None])[0].removeprefix(POSE_TOKEN).strip()

    @torch.no_grad()
    def tell(self, rotations: torch.Tensor, pictures=()) -> list[str]:
        """Replies (`<POSE> ...`) to the request to describe poses (B, 24, 3, 3).

        With pictures of them a vision-language model looks at each, too: both encoders speak to it, its own by image
        tokens and the landmarks' by soft tokens of what the lifted pose shows.
        """
        scores = posecodes.scores(rotations)
        if not self.backbone.sees or not pictures:
            return self.answer(DESCRIBE, scores)
        from posegen.sight import load_processor, look

        processor, pose = load_processor(self.backbone.name), [self.backbone.pose_id]
        return [
            self.reply(look(self.backbone, processor, [picture], DESCRIBE, pose), row[None])[0]
            for picture, row in zip(pictures, scores, strict=True)
        ]

    @torch.no_grad()
    def answer(self, prompt: str, scores: torch.Tensor) -> list[str]:
        """The language model's replies to one prompt about B poses, from their statement scores (B, S)."""
        return self.reply(self.prefill(prompt).repeat(len(scores)), scores)

    def prefill(self, prompt: str) -> Prefill:
        """The language model's reading of one prompt up to the `<POSE>` that its answer begins with."""
        words = self.backbone.words(prompt)
        ids, mask = self.backbone.pad_left([[*self.backbone.prompt(words), self.backbone.pose_id]])
        return self.backbone.prefill(self.backbone.embed(ids), mask)

    def reply(self, start: Prefill, scores: torch.Tensor) -> list[str]:
        """Replies after prompts read up to `<POSE>`: soft tokens for what the pose shows, a closing `<POSE>`, words.

        Args:
            start: Prefill of B prompts.
            scores: (B, S) statement scores of their poses.
        """
        ids, mask = self.backbone.pad_left([[*statement_ids(row), self.backbone.pose_id] for row in scores.numpy()])
        start = self.backbone.prefill(embed_mixed(self.backbone, self.tokens, ids), mask, start)
        return [f"{POSE_TOKEN} {text}" for text in self.backbone.continue_reply(start, MAX_REPLY_TOKENS)]


def statement_ids(scores_row) -> list[int]:
    """What a pose tells, from its statement scores (S,), as at least 1 and at most 8 ids for `embed_mixed`.

    Statement i is -1 - i; a pose that tells nothing is stood for by its best statement.
    """
    told = captions.telling(scores_row)[:MAX_TOLD] or [int(scores_row.argmax())]
    return [-1 - i for i in told]


def embed_mixed(backbone: Backbone, tokens: StatementTokens, ids: torch.Tensor) -> torch.Tensor:
    """Input embeddings (B, T, C) of ids (B, T): words, and soft tokens where an id is below zero."""
    words = backbone.embed(ids.clamp_min(0))
    soft = tokens((-1 - ids).clamp_min(0)).to(words.dtype)
    return torch.where(ids[..., None] < 0, soft, words)


def answer_logits(backbone, tokens, start: Prefill, answer: torch.Tensor, present, wanted) -> torch.Tensor:
    """What the tokens of answers are predicted from, with gradients into the reading of the prompts, too.

    Args:
        start: N prompts read; used up. answer: (N, T) ids, below zero for soft tokens.
        present, wanted: (N, T) bool, tokens that are there at all, and those whose predictions are asked for.
    Returns:
        (n, V) float32 logits of the n wanted tokens, row by row.
    """
    mask = torch.cat([start.mask, present], 1)
    embeddings = embed_mixed(backbone, tokens, answer)
    out = backbone.hidden(embeddings, mask, start.offset, past_key_values=start.cache, use_cache=True)
    before = torch.cat([start.last[:, None], out.last_hidden_state[:, :-1]], 1)
    return backbone.logits(before[wanted])


def check_prompt(prompt: str) -> str:
    """The prompt, stripped, or PromptError."""
    prompt = " ".join(prompt.replace(POSE_TOKEN, " ").split())
    letters = [c for c in prompt if c.isalpha()]
    if not letters:
        raise PromptError(
            "Write in a few words what the person does, for example: a deep squat with both arms stretched forward."
        )
    if sum(c.isascii() for c in letters) < 0.7 * len(letters):
        raise PromptError("Only English is understood so far; please write the pose in English.")
    count = len(prompt.split())
    if count > MAX_WORDS or len(prompt) > 10 * MAX_WORDS:
        raise PromptError(f"These are {count} words; please describe one pose in at most {MAX_WORDS}.")
    return prompt


def check_sampling(num_samples: int, temperature: float) -> None:
    if not 1 <= num_samples <= MAX_SAMPLES:
        raise PromptError(f"The number of samples must be between 1 and {MAX_SAMPLES}, but it is {num_samples}.")
    if not 0 <= temperature <= 5:
        raise PromptError(f"The temperature must be between 0 and 5, but it is {temperature}.")


# ---- the policy folder: config.json, named_poses.json, heads.safetensors, adapter/


def find_folder(path) -> Path:
    """A policy folder from None (the embedded default), a folder, or a hub id."""
    folder = DEFAULT if path is None else Path(path)
    if folder.is_dir():
        return folder
    if path is None or Path(path).is_absolute() or str(path).startswith(".") or str(path).count("/") != 1:
        raise PolicyError(
            f"There is no policy folder {folder}; "
            "give one made by `python -m finetune sft`, or get the repository's assets."
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(path), allow_patterns=[*FILES, "adapter/*"]))
    except Exception as error:
        raise PolicyError(
            f"There is no policy folder {path}, and "
            f"the hub did not give one ({type(error).__name__}; HF_HUB_OFFLINE=0 lets it be asked)."
        ) from error


def read_config(folder: Path) -> dict:
    path = folder / "config.json"
    config = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in FILES if not any((f / name).exists() for f in (folder, base_of(folder, config)))]
    if missing:
        raise PolicyError(
            f"The policy folder {folder.name} lacks {', '.join(missing)}; train it with `python -m finetune sft`."
        )
    if config.get("format") != FORMAT or tuple(config.get("statements", ())) != posecodes.NAMES:
        raise PolicyError(
            f"The policy in {folder.name} was trained with other pose statements; "
            "train it again with `python -m finetune sft`."
        )
    return config


def base_of(folder: Path, config: dict) -> Path:
    """The folder that a policy takes from what it does not hold itself (all of it does, where no base is named)."""
    return folder / str(config.get("base", ""))


def read_named_poses(folder: Path) -> tuple[list[str], torch.Tensor]:
    """Titles (U) and recipes (U, S) bool of the named poses that a policy's reader knows."""
    named = json.loads((folder / "named_poses.json").read_text())
    recipes = torch.zeros(len(named), len(posecodes.NAMES), dtype=torch.bool)
    for row, pose in zip(recipes, named, strict=True):
        row[[posecodes.INDEX[name] for name in pose["statements"]]] = True
    return [pose["title"] for pose in named], recipes


def own_state(part) -> dict:
    """The weights of a part that belong to a policy: not those that every policy takes from outside."""
    outside = getattr(part, "is_outside", lambda name: False)
    return {name: value for name, value in part.state_dict().items() if not outside(name)}


def packed(state: dict) -> dict:
    """Large matrices in 8 bits with a scale a row, all else in float16: half the size, and nothing lost that shows."""
    out = {}
    for name, value in state.items():
        if value.dim() == 2 and value.numel() >= MIN_PACKED:
            scale = value.float().abs().amax(1, keepdim=True).clamp_min(1e-12) / 127
            out[name], out[name + SCALE] = (value.float() / scale).round().to(torch.int8), scale
        else:
            out[name] = value.half()
    return {name: value.cpu().contiguous() for name, value in out.items()}


def unpacked(state: dict) -> dict:
    """What `packed` took, in float32."""
    scale = lambda name: state.get(name + SCALE, torch.ones(()))  # noqa: E731
    return {name: value.float() * scale(name) for name, value in state.items() if not name.endswith(SCALE)}


def load_heads(folders, parts: dict) -> None:
    """Fill modules from NAME.parameter tensors in folders' heads.safetensors; what a later one has comes before."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    state = {}
    try:
        for folder in folders:
            state |= unpacked(load_file(folder / "heads.safetensors"))
        for name, part in parts.items():
            mine = {k.removeprefix(name + "."): v for k, v in state.items() if k.startswith(name + ".")}
            part.load_state_dict(part.state_dict() | mine)
            if mine.keys() != own_state(part).keys():
                raise RuntimeError(f"weights of the {name} are missing")
    except (SafetensorError, RuntimeError) as error:
        raise PolicyError(
            f"heads.safetensors is damaged or of another version ({str(error).splitlines()[0]}); get the folder again."
        ) from error


def save_policy(folder, backbone_name: str, backbone: Backbone, head, reader, lifter, tokens, adapter=None) -> None:
    """Write a policy folder: every file to a side name first, then moved into place.

    adapter: the adapter's weights by their names in the model, where the model has them in parts.
    """
    import os

    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # The backbone's name, not the folder of this machine that it was loaded from.
    for adapter_config in backbone.model.peft_config.values():
        adapter_config.base_model_name_or_path = backbone_name
    backbone.model.save_pretrained(folder / "adapter", state_dict=adapter, save_embedding_layers=False)
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    parts = {"head": head, "reader": reader, "lifter": lifter, "tokens": tokens}
    state = {f"{n}.{k}": v for n, part in parts.items() for k, v in own_state(part).items()}
    save_file(packed(state), folder / "heads.safetensors.part")
    os.replace(folder / "heads.safetensors.part", folder / "heads.safetensors")
    config = {
        "format": FORMAT, "backbone": backbone_name, "components": head.components,
        "landmark_features": lifter.net.enter.in_features, "statements": list(posecodes.NAMES),
    }  # fmt: skip
    named = [
        {"title": title, "statements": [posecodes.NAMES[i] for i in torch.nonzero(row)[:, 0].tolist()]}
        for title, row in zip(reader.titles, reader.recipes, strict=True)
    ]
    lines = ",\n".join(json.dumps(pose) for pose in named)
    for name, text in (("named_poses.json", f"[\n{lines}\n]\n"), ("config.json", json.dumps(config, indent=1))):
        (folder / f"{name}.part").write_text(text)
        os.replace(folder / f"{name}.part", folder / name)
