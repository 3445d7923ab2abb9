"""Answers to prompts, drawn for training: G answers a prompt, each with M poses and the words about the first of them.

A prompt is read once and its cache repeated G times; the tokens of all answers are drawn in one batch; more poses an
answer cost next to nothing. An answer is `<POSE> [what the first pose shows, as soft tokens] <POSE> words`, as the
policy gives it to people; here `<POSE>` is drawn like any other token, and an answer that does not begin with it has
no pose.
"""

from dataclasses import dataclass

import torch

from posegen import posecodes
from posegen.backbone import POSE_TOKEN
from posegen.distribution import PoseDistribution
from posegen.policy import embed_mixed, statement_ids


@dataclass
class Rollout:
    """N = P * G answers, those of one prompt together.

    Attributes:
        prompt_ids: N lists of token ids.
        answer_ids: (N, T) token ids; below zero where a soft token stands (see `policy.statement_ids`).
        sampled: (N, T) bool, True on the tokens that the policy drew.
        completions: N texts, as people would see them.
        valid: (N,) bool, whether there is a pose.
        x: (N, M, 60) coordinates of the poses; rotations: (N, M, 24, 3, 3).
        shown: (N, S) statement scores of the first poses.
    """

    prompt_ids: list[list[int]]
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
        """Some of the answers."""
        pick = lambda value: [value[i] for i in index.tolist()] if isinstance(value, list) else value[index]  # noqa: E731
        return Rollout(*(pick(value) for value in vars(self).values()))


@torch.no_grad()
def draw_poses(distribution: PoseDistribution, num_generations: int, poses_per_answer: int, generator) -> Rollout:
    """Answers to the P prompts of a distribution that are a pose without words."""
    G, M = num_generations, poses_per_answer
    x = distribution.sample(G * M, 1.0, generator)
    rotations = distribution.rotations(x).unflatten(1, (G, M)).flatten(0, 1)  # (N, M, 24, 3, 3)
    N = len(rotations)
    none = torch.zeros(N, 0, dtype=torch.long)
    return Rollout(
        [[]] * N, none, none.bool(), [POSE_TOKEN] * N, torch.ones(N, dtype=torch.bool),
        x.unflatten(1, (G, M)).flatten(0, 1), rotations, posecodes.scores(rotations[:, 0].cpu()),
    )  # fmt: skip


@torch.no_grad()
def add_words(
    policy, prompts: list[str], rollout: Rollout, temperature: float, max_completion_length: int, generator
) -> None:
    """Let the language model answer the P prompts, with the poses of a rollout: fills in what `draw_poses` left out."""
    backbone, N = policy.backbone, len(rollout.x)
    prompt_ids = [backbone.prompt(backbone.words(prompt)) for prompt in prompts]
    ids, mask = backbone.pad_left(prompt_ids)
    start = backbone.prefill(backbone.embed(ids), mask).repeat(N // len(prompts))
    first = backbone.choose(start.logits, temperature, generator)
    valid = (first == backbone.pose_id).cpu()
    soft = [statement_ids(row) for row in rollout.shown.numpy()]
    ids, mask = backbone.pad_left([[token, *row] for token, row in zip(first.tolist(), soft, strict=True)])
    start = backbone.prefill(embed_mixed(backbone, policy.tokens, ids), mask, start)
    words, said = (v.cpu() for v in backbone.decode(start, max_completion_length, temperature, generator))

    answers = [[token] for token in first.tolist()]  # without <POSE> an answer is over
    for i in torch.nonzero(valid)[:, 0].tolist():
        answers[i] += [*soft[i], *words[i][said[i]].tolist()]
    longest = max(map(len, answers))
    rollout.answer_ids = torch.full((N, longest), backbone.tokenizer.eos_token_id)
    rollout.sampled = torch.zeros(N, longest, dtype=torch.bool)
    for i, row in enumerate(answers):
        rollout.answer_ids[i, : len(row)] = torch.tensor(row)
        rollout.sampled[i, : len(row)] = torch.tensor(row) >= 0
    rollout.prompt_ids = [row for row in prompt_ids for _ in range(N // len(prompts))]
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
    """Log-probabilities (N, T) float32 of the sampled tokens of answers; 0 elsewhere."""
    backbone = policy.backbone
    ids, mask = backbone.pad_left(rollout.prompt_ids)
    answer = rollout.answer_ids.to(ids.device)
    present = rollout.sampled.to(ids.device) | (answer < 0)
    embeddings = embed_mixed(backbone, policy.tokens, torch.cat([ids, answer], 1))
    out = backbone.hidden(embeddings, torch.cat([mask, present], 1), use_cache=False)
    before = out.last_hidden_state[:, ids.shape[1] - 1 : -1]  # what each token of the answer is predicted from
    sampled = rollout.sampled.to(ids.device)
    logits = backbone.logits(before[sampled]) / temperature
    chosen = logits.gather(1, answer[sampled][:, None])[:, 0] - logits.logsumexp(1)
    return torch.zeros(answer.shape, device=ids.device).masked_scatter(sampled, chosen)
