"""The shipped policy on real words and real pictures: contract, determinism, bad input."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from posegen import PosePolicy, posecodes
from posegen.head import PoseHead
from posegen.photo import PhotoError
from posegen.policy import (
    DEFAULT,
    MAX_SAMPLES,
    PolicyError,
    PromptError,
    check_prompt,
    load_heads,
    packed,
    read_config,
    unpacked,
)  # fmt: skip

EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples"


def held(samples, name):
    """Share of samples for which a statement holds."""
    scores = posecodes.scores(torch.from_numpy(np.stack([s.pose.rotations for s in samples])))
    return posecodes.holds(scores)[:, posecodes.INDEX[name]].float().mean().item()


@pytest.mark.parametrize(
    ("prompt", "statements"),
    [
        ("a person standing with both arms raised overhead", ("left_hand_above_head", "right_hand_above_head")),
        ("kneeling on both knees", ("kneeling",)),
        ("sitting on a chair with the hands on the knees", ("sitting",)),
        ("the left arm is stretched out to the side", ("left_arm_sideways",)),
        ("the right arm is stretched out to the side", ("right_arm_sideways",)),
        ("lying on the back", ("lying_on_back",)),
    ],
)
def test_words_become_the_pose_they_name(policy, prompt, statements):
    samples = policy.text_to_pose(prompt, num_samples=64, temperature=0.5, seed=0)
    for name in statements:
        assert held(samples, name) >= 0.75, name


def test_a_sample_has_what_the_contract_says(policy):
    sample = policy.text_to_pose("a deep squat with both arms stretched forward", num_samples=2, seed=1)[0]
    assert sample.pose.axis_angle.shape == (24, 3) and sample.pose.axis_angle.dtype == np.float32
    assert sample.text.startswith("<POSE> ") and len(sample.text.split()) > 4
    assert np.isfinite(sample.log_prob) and sample.camera is None
    assert "squatting" in {u.phrase for u in sample.statements}
    assert all(u.probability > 0.5 for u in sample.statements)


def test_the_seed_decides_everything(policy):
    draw = lambda seed: policy.text_to_pose("someone dancing", num_samples=3, seed=seed)  # noqa: E731
    first, again, other = draw(3), draw(3), draw(4)
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.pose.rotations, b.pose.rotations) and (a.text, a.log_prob) == (b.text, b.log_prob)
    assert not np.allclose(first[0].pose.rotations, other[0].pose.rotations)
    assert not np.allclose(first[0].pose.rotations, first[1].pose.rotations)


def test_temperature_zero_is_the_mode_and_ranking_sorts(policy):
    a, b = policy.text_to_pose("hands on hips", num_samples=2, temperature=0)
    assert np.array_equal(a.pose.rotations, b.pose.rotations)
    ranked = policy.text_to_pose("sitting, both hands above the head", num_samples=8, seed=0, best_of=8)
    shown = [sum(u.holds for u in s.statements) for s in ranked]
    assert shown == sorted(shown, reverse=True)


def test_the_best_of_many_are_those_that_the_judge_likes(policy):
    def judge(prompt, rotations, understood):
        assert prompt == "someone dancing" and len(rotations) == 16
        return {"turned": (rotations[:, 16, 0, 0] / 2 + 0.5).tolist(), "even": [0.5] * 16}

    drawn = policy.text_to_pose("someone dancing", 16, seed=5, reply=False)
    best = policy.text_to_pose("someone dancing", 3, seed=5, best_of=16, judge=judge)
    expected = sorted(drawn, key=lambda s: (sum(u.holds for u in s.statements), s.pose.rotations[16, 0, 0]))[::-1]
    for sample, other in zip(best, expected, strict=False):
        assert np.array_equal(sample.pose.rotations, other.pose.rotations) and sample.text.startswith("<POSE> ")
        assert sample.rewards["turned"] == pytest.approx(sample.pose.rotations[16, 0, 0] / 2 + 0.5, abs=1e-6)
    assert len(best) == 3 and drawn[0].rewards == {}


def test_what_words_fix_spreads_less_than_what_they_leave_open(policy):
    spread = policy.text_to_pose("the left elbow is bent at a right angle", reply=False)[0].spread
    assert spread.shape == (24,) and spread[18] < 0.5 * min(spread[16], spread[17])


def test_left_and_right_are_told_apart(policy):
    for side, other in (("left", "right"), ("right", "left")):
        prompt = f"the {side} hand is above the head and the {other} arm hangs down at the side"
        samples = policy.text_to_pose(prompt, num_samples=16, temperature=0.5)
        assert held(samples, f"{side}_hand_above_head") > 0.8
        assert held(samples, f"{other}_hand_above_head") < 0.2


def test_body_shape_goes_along(policy):
    betas = np.linspace(-1, 1, 10)
    assert np.allclose(policy.text_to_pose("standing", betas=betas)[0].pose.betas, betas)


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("", "Write in a few words"),
        ("  \n ", "Write in a few words"),
        ("1234 !!!", "Write in a few words"),
        ("<POSE>", "Write in a few words"),
        ("word " * 5000, "at most 100"),
        ("человек сидит на стуле", "Only English"),
        ("一个人坐在椅子上", "Only English"),
    ],
)
def test_bad_words_get_one_sentence(policy, prompt, sentence):
    with pytest.raises(PromptError, match=sentence):
        policy.text_to_pose(prompt)


def test_special_tokens_in_the_prompt_are_harmless(policy):
    prompt = "<POSE> <|im_end|> kneeling on both knees <|im_start|>"
    samples = policy.text_to_pose(prompt, num_samples=8, temperature=0.5)
    assert held(samples, "kneeling") > 0.7 and samples[0].text.count("<POSE>") == 1
    assert check_prompt("a <POSE> b") == "a b"


def test_bad_sampling_settings_are_named(policy):
    with pytest.raises(PromptError, match="between 1 and"):
        policy.text_to_pose("standing", num_samples=MAX_SAMPLES + 1)
    with pytest.raises(PromptError, match="temperature"):
        policy.text_to_pose("standing", temperature=-1)


def test_every_person_in_a_picture_is_posed_where_they_are(policy):
    photo = Image.open(EXAMPLES / "three_people.jpg")
    people = policy.image_to_pose(photo)
    assert len(people) == 3
    for person in people:
        sample = person.samples[0]
        joints = policy.body.joints([sample.pose])[0]
        pixels = sample.camera.project(joints, *photo.size)
        low, high = np.array(person.box[:2]) - 20, np.array(person.box[2:]) + 20
        assert ((pixels > low) & (pixels < high)).all(1).mean() > 0.8
        assert sample.text.startswith("<POSE> ")
    sizes = [max(p.box[2] - p.box[0], p.box[3] - p.box[1]) for p in people]
    assert sizes == sorted(sizes, reverse=True)


def test_several_samples_of_a_photo_differ_and_keep_their_cameras(policy):
    (person, *_) = policy.image_to_pose(EXAMPLES / "lunge.jpg", num_samples=3, temperature=1.0, seed=0)
    a, b, _ = person.samples
    assert not np.allclose(a.pose.rotations, b.pose.rotations) and a.camera is not None


def test_a_picture_without_people_says_so(policy):
    with pytest.raises(PhotoError, match="No person was found"):
        policy.image_to_pose(Image.new("RGB", (400, 300), (90, 120, 90)))


def test_describe_says_what_is_there(policy):
    sample = policy.text_to_pose("kneeling on both knees with both hands above the head", temperature=0)[0]
    assert "kneel" in policy.describe(sample.pose)


# ---- the policy folder


def test_missing_or_foreign_policies_are_named(tmp_path):
    with pytest.raises(PolicyError, match="no policy folder"):
        PosePolicy.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(PolicyError, match="lacks config.json"):
        PosePolicy.from_pretrained(tmp_path)
    shutil.copytree(DEFAULT, tmp_path / "copy")
    (tmp_path / "copy" / "heads.safetensors").write_bytes(b"not tensors")
    with pytest.raises(PolicyError, match="damaged"):
        PosePolicy.from_pretrained(tmp_path / "copy")
    config = json.loads((DEFAULT / "config.json").read_text())
    config["statements"] = config["statements"][::-1]
    (tmp_path / "copy" / "config.json").write_text(json.dumps(config))
    with pytest.raises(PolicyError, match="other pose statements"):
        PosePolicy.from_pretrained(tmp_path / "copy")


def test_what_a_policy_lacks_is_its_base_s(policy, tmp_path):
    config = json.loads((DEFAULT / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"base": str(DEFAULT)}))
    shutil.copytree(DEFAULT / "adapter", tmp_path / "adapter")
    name = "head.net.leave.bias"
    save_file({name: load_file(DEFAULT / "heads.safetensors")[name] + 1}, tmp_path / "heads.safetensors")
    other = PosePolicy.from_pretrained(tmp_path)
    torch.testing.assert_close(other.head.net.leave.bias, policy.head.net.leave.bias + 1, atol=0.01, rtol=0)
    torch.testing.assert_close(other.lifter.state_dict(), policy.lifter.state_dict(), rtol=0, atol=0)
    assert other.reader.titles == policy.reader.titles
    (tmp_path / "config.json").write_text(json.dumps(config | {"base": "../nowhere"}))
    with pytest.raises(PolicyError, match="lacks named_poses.json"):
        PosePolicy.from_pretrained(tmp_path)


def test_stage_1_lies_beside_the_reinforced_policy(policy):
    first = PosePolicy.from_pretrained(DEFAULT.parent / "stage1")
    assert not torch.equal(first.head.net.leave.bias, policy.head.net.leave.bias)
    for name in ("reader", "lifter", "tokens"):
        torch.testing.assert_close(
            getattr(first, name).state_dict(), getattr(policy, name).state_dict(), rtol=0, atol=0
        )


def test_a_base_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"base": 5}))
    with pytest.raises(PolicyError, match="lacks"):
        PosePolicy.from_pretrained(tmp_path)


def test_weights_are_packed_to_half_a_step_and_back():
    generator = torch.Generator().manual_seed(0)
    state = {"big": torch.randn(200, 100, generator=generator), "small": torch.randn(9, 9), "row": torch.randn(20_000)}
    state["big"][3] = 0
    small = packed(state)
    assert small["big"].dtype == torch.int8 and small["small"].dtype == small["row"].dtype == torch.float16
    back = unpacked(small)
    assert back.keys() == state.keys()
    step = state["big"].abs().amax(1, keepdim=True) / 127
    assert ((back["big"] - state["big"]).abs() <= 0.501 * step + 1e-9).all() and (back["big"][3] == 0).all()
    torch.testing.assert_close(back["row"], state["row"], atol=2e-3, rtol=1e-3)
    again = unpacked(packed(back))  # packing what was packed changes nothing more
    torch.testing.assert_close(again["big"], back["big"], atol=1e-6, rtol=1e-5)


def test_shipped_weights_are_small_and_safe():
    files = [f for f in DEFAULT.parent.rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files if f.suffix == ".safetensors") < 40e6
    files = [f for f in DEFAULT.rglob("*") if f.is_file()]
    assert {f.suffix for f in files} <= {".safetensors", ".json", ".md"}


def test_what_differs_from_a_base_is_kept_alone(tmp_path):
    """scripts/keep_difference.py: the small folder answers as the whole one does."""
    whole, small = tmp_path / "whole", tmp_path / "small"
    shutil.copytree(DEFAULT, whole)
    state = load_file(whole / "heads.safetensors")
    name = next(name for name in state if name.startswith("head.") and name.endswith("bias"))
    save_file(state | {name: state[name] + 1}, whole / "heads.safetensors")
    script = Path(__file__).resolve().parent.parent / "scripts" / "keep_difference.py"
    subprocess.run([sys.executable, script, whole, DEFAULT, small], check=True)
    assert set(load_file(small / "heads.safetensors")) == {name}
    parts = {"head": PoseHead(len(posecodes.NAMES), read_config(small)["components"])}
    load_heads((DEFAULT, small), parts)
    found = dict(parts["head"].named_parameters())[name.removeprefix("head.")]
    torch.testing.assert_close(found, state[name].float() + 1, atol=2e-3, rtol=2e-3)
