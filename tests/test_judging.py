"""The judge of the page: the rewards it names, what they prefer, and that posegen does not need it."""

import subprocess
import sys

import torch

from finetune.judging import judge
from posegen import posecodes


def test_judge_prefers_what_was_asked(policy):
    prompts = ("a deep squat", "standing with both arms raised", "sitting on the floor")
    poses = [policy.text_to_pose(p, temperature=0, reply=False)[0].pose.rotations for p in prompts]
    rotations = torch.stack([torch.from_numpy(r) for r in poses])
    for i, prompt in enumerate(prompts):
        understood = torch.nonzero(policy.read([prompt]).probabilities[0] > 0.5)[:, 0].tolist()
        rewards = judge(prompt, rotations, understood)
        assert list(rewards) == ["statements", "semantic", "plausible"]
        assert all(0 <= value <= 1 for values in rewards.values() for value in values)
        for name in ("statements", "semantic"):
            assert max(range(3), key=rewards[name].__getitem__) == i, (prompt, name)


def test_nothing_understood_rewards_no_statements():
    rotations = torch.eye(3).expand(2, 24, 3, 3)
    assert list(judge("hm", rotations, [])) == ["semantic", "plausible"]
    broken = rotations.clone()
    broken[1, 4] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))  # the knee turned by 180 degrees
    plausible = judge("hm", broken, [posecodes.INDEX["left_knee_straight"]])["plausible"]
    assert plausible[0] == 1 and plausible[1] < 0.5


def test_posegen_does_not_load_finetune():
    code = "import sys, posegen.policy, posegen.ui.words; print([m for m in sys.modules if m.startswith('finetune')])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
