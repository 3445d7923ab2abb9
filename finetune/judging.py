"""Rewards for poses that answer a prompt, to rank and explain them on the page.

posegen does not know this package: whoever has both hands `judge` to PosePolicy.text_to_pose.
"""

from functools import cache

import torch

from finetune.matcher import FOLDER, Matcher
from finetune.rewards import reward_plausible, reward_semantic, reward_statements


@cache
def matcher() -> Matcher:
    return Matcher.load(FOLDER / "reward.safetensors")


def judge(prompt: str, rotations: torch.Tensor, understood: list[int]) -> dict[str, list[float]]:
    """Rewards of the poses (N, 24, 3, 3) of one prompt: name -> N values in [0, 1].

    Args:
        understood: indices of the statements that were read in the prompt; without any, none is rewarded.

    Raises:
        MatcherError: assets/matchers is not there.
    """
    prompts = [prompt] * len(rotations)
    rewards = {"statements": reward_statements(rotations, [understood] * len(rotations))} if understood else {}
    rewards["semantic"] = reward_semantic(prompts, rotations, matcher=matcher())
    rewards["plausible"] = reward_plausible(rotations)
    return rewards
