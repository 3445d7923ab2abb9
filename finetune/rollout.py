"""Answers to prompts, drawn for training: G answers a prompt, each with M poses and the words about the first of them.

A prompt is read once and its cache repeated G times; the tokens of all answers are drawn in one batch; more poses an
answer cost next to nothing. An answer is `<POSE> [what the first pose shows, as soft tokens] <POSE> words`, as the
policy gives it to people; here `<POSE>` is drawn like any other token, and an answer that does not begin with it has
no pose.
"""

from dataclasses import dataclass

import torch

from posegen import posecodes
from posegen.backbone import POSE_TOKEN, Prefill
from posegen.distribution import PoseDistribution
from posegen.policy import answer_logits, embed_mixed, statement_ids


@dataclass
class Rollout:
    """N = P * G answers, those of one prompt together.

    Attributes:
        num_generations: G; N = P * G.
        prompts: P texts; pictures: P pictures (PIL) that they are about, or an empty list.
        answer_ids: (N, T) token ids; below zero where a soft token stands (see `policy.statement_ids`).
        sampled: (N, T) bool, True on the tokens that the policy drew.
        completions: N texts, as people would see them.
        valid: (N,) bool, whether there is a pose.
        x: (N, M, 60) coordinates of the poses; rotations: (N, M, 24, 3, 3).
        shown: (N, S) statement scores of the first poses.
    """

    num_generations: int
    prompts: list[str]
    pictures: list
    answer_ids: torch.Tensor
    sampled: torch.Tensor
    completions: list[str]
    valid: torch.Tensor
    x: torch.Tensor
    rotations: torch.Tensor
    shown: torch.Tensor

    @property
    def worded(self) -> bool:
        """Whether the answers have words (`add_words`)."""
        return self.sampled.shape[1] > 0

    def rows(self, index: torch.Tensor) -> "Rollout":
        """Some of the answers: all those of some prompts."""
        pick = lambda values, at: [values[i] for i in at.tolist()] if values else []  # noqa: E731
        asked = index[:: self.num_generations] // self.num_generations
        return Rollout(
            self.num_generations, pick(self.prompts, asked), pick(self.pictures, asked), self.answer_ids[index],
            self.sampled[index], pick(self.completions, index), self.valid[index], self.x[index],
            self.rotations[index], self.shown[index],
        )  # fmt: skip


@torch.no_grad()
def draw_poses(distribution: PoseDistribution, num_generations: int, poses_per_answer: int, generator) -> Rollout:
    """Answers to the P prompts of a distribution that are a pose without words."""
    G, M = num_generations, poses_per_answer
    x = distribution.sample(G * M, 1.0, generator)
    rotations = distribution.rotations(x).unflatten(1, (G, M)).flatten(0, 1)  # (N, M, 24, 3, 3)
    N = len(rotations)
    none = torch.zeros(N, 0, dtype=torch.long)
    return Rollout(
        G, [], [], none, none.bool(), [POSE_TOKEN] * N, torch.ones(N, dtype=torch.bool),
        x.unflatten(1, (G, M)).flatten(0, 1), rotations, posecodes.scores(rotations[:, 0].cpu()),
    )  # fmt: skip


def ask(backbone, prompts: list[str], pictures: list) -> Prefill:
    """One reading of prompts, up to where the answer begins; of pictures all are asked the same."""
    if pictures:
        from posegen.sight import load_processor, look

        return look(backbone, load_processor(backbone.name), pictures, prompts[0])
    ids, mask = backbone.pad_left([backbone.prompt(backbone.words(prompt)) for prompt in prompts])
    return backbone.prefill(backbone.embed(ids), mask)


@torch.no_grad()
def add_words(
    policy, prompts: list[str], rollout: Rollout, temperature: float, max_completion_length: int, uniform, pictures=()
) -> None:
    """Let the language model answer the P prompts, with the poses of a rollout: fills in what `draw_poses` left out.

    Args:
        uniform: f(N) -> (N, 1) random numbers in [0, 1), called once a token.
        pictures: P pictures (PIL) that a vision-language model looks at, or none.
    """
    backbone, N = policy.backbone, len(rollout.x)
    rollout.prompts, rollout.pictures = list(prompts), list(pictures)
    start = ask(backbone, rollout.prompts, rollout.pictures).repeat(rollout.num_generations)
    first = backbone.choose(start.logits, temperature, uniform)
    valid = (first == backbone.pose_id).cpu()
    soft = [statement_ids(row) for row in rollout.shown.numpy()]
    ids, mask = backbone.pad_left([[token, *row] for token, row in zip(first.tolist(), soft, strict=True)])
    start = backbone.prefill(embed_mixed(backbone, policy.tokens, ids), mask, start)
    words, said = (v.cpu() for v in backbone.decode(start, max_completion_length, temperature, uniform))

    answers = [[token] for token in first.tolist()]  # without <POSE> an answer is over
    for i in torch.nonzero(valid)[:, 0].tolist():
        answers[i] += [*soft[i], *words[i][said[i]].tolist()]
    longest = max(map(len, answers))
    rollout.answer_ids = torch.full((N, longest), backbone.tokenizer.eos_token_id)
    rollout.sampled = torch.zeros(N, longest, dtype=torch.bool)
    for i, row in enumerate(answers):
        rollout.answer_ids[i, : len(row)] = torch.tensor(row)
        rollout.sampled[i, : len(row)] = torch.tensor(row) >= 0
    rollout.completions, rollout.valid = [completion(backbone, row) for row in answers], valid


def completion(backbone, ids: list[int]) -> str:
    """An answer as people see it: the pose, which `<POSE> soft tokens <POSE>` stands for, is one `<POSE>`."""
    words = [token for token in ids if token >= 0]
    if words[:2] == [backbone.pose_id] * 2:
        words = words[1:]
    if words and words[-1] == backbone.tokenizer.eos_token_id:
        words = words[:-1]
    text = backbone.tokenizer.decode(words)
    return text.replace(f"{POSE_TOKEN} ", POSE_TOKEN).replace(POSE_TOKEN, f"{POSE_TOKEN} ").strip()


def token_logps(policy, rollout: Rollout, temperature: float) -> torch.Tensor:
    """Log-probabilities (N, T) float32 of the sampled tokens of answers; 0 elsewhere.

    A prompt is read once here, too, and gradients of all its answers meet in that reading.
    """
    backbone = policy.backbone
    start = ask(backbone, rollout.prompts, rollout.pictures).repeat(rollout.num_generations)
    answer, sampled = rollout.answer_ids.to(start.mask.device), rollout.sampled.to(start.mask.device)
    logits = answer_logits(backbone, policy.tokens, start, answer, sampled | (answer < 0), sampled) / temperature
    chosen = logits.gather(1, answer[sampled][:, None])[:, 0] - logits.logsumexp(1)
    return torch.zeros(answer.shape, device=answer.device).masked_scatter(sampled, chosen)
