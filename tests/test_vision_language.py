"""Every family of vision-language models, in miniature, as the backbone: 4 bits, LoRA, poses, reinforcement."""

import json
import math

import bitsandbytes as bnb
import numpy as np
import pytest
import torch
from PIL import Image
from test_trainer import REWARDS, settings
from tiny_models import FAMILIES, write

from finetune import sft
from finetune.config import SFTConfig
from finetune.data import families, photos
from finetune.rollout import add_words, ask, draw_poses, token_logps
from finetune.tasks import Photos
from finetune.trainer import Trainer
from posegen.backbone import Backbone, BackboneError
from posegen.policy import DEFAULT, DESCRIBE, PosePolicy
from posegen.sight import load_processor, look, request
from posegen.ui.photo import EXAMPLES


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tmp_path_factory):
    return write(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def renders(tmp_path_factory):
    """A folder of a few rendered people."""
    out = tmp_path_factory.mktemp("renders")
    photos.render_dataset(families.sample(40, seed=0).axis_angle, out / "train", 8)
    return out


@pytest.fixture(scope="module")
def seeing(folder, renders, tmp_path_factory):
    """A policy folder on the backbone, of two steps of stage 1; everything but words is the shipped policy's."""
    out = tmp_path_factory.mktemp("policy")
    np.savez(out / "poses.npz", poses=families.sample(400, seed=7).axis_angle, clip=np.arange(400) // 20)
    sft.run(
        SFTConfig(
            poses=str(out / "poses.npz"), renders=str(renders), run_dir=str(out / "run"),
            output_dir=str(out / "policy"), backbone=folder, parts=str(DEFAULT), dequantize=False,
            gradient_checkpointing=True, talker_steps=2, talker_batch=4, num_families=300, num_recombined=90,
            num_renders=8, num_named=0,
        )
    )  # fmt: skip
    return out / "policy"


def test_stage_1_teaches_words_about_words_and_about_pictures(seeing):
    lines = [json.loads(line) for line in (seeing.parent / "run" / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["stage"] == "talker"]
    assert [line["step"] for line in steps] == [0, 1]
    for line in steps:
        assert 0 < line["words"] < 20 and 0 < line["sight"] < 20 and line["grad_norm"] > 0
    assert not {"head", "lifter", "reader"} & {line["stage"] for line in lines}


def test_language_is_in_four_bits_and_learns_and_sight_stays_as_it_is(folder):
    backbone = Backbone.load(folder, trainable=True)
    four = {name for name, module in backbone.model.named_modules() if isinstance(module, bnb.nn.Linear4bit)}
    language = lambda name: any(part in name for part in ("language_model", "text_model"))  # noqa: E731
    assert len(four) == 2 * 7 and all(map(language, four))
    learns = {name for name, p in backbone.model.named_parameters() if p.requires_grad}
    assert len([name for name in learns if "lora_" in name]) == 2 * 2 * 2
    assert all(language(name) for name in learns)
    assert backbone.sees and backbone.tokenizer.decode(backbone.chat_start).startswith("system: 3D pose\nuser: ")


def test_the_layers_used_are_the_model_s_own(folder):
    """Left-padded prompts through Backbone.prefill give what the whole model gives for the words alone."""
    backbone = Backbone.load(folder, load_in_4bit=False)
    rows = [backbone.prompt(backbone.words(text)) for text in ("kneeling", "both arms raised above the head")]
    ids, mask = backbone.pad_left(rows)
    with torch.no_grad():
        found = backbone.prefill(backbone.embed(ids), mask).logits
        for row, logits in zip(rows, found, strict=True):
            whole = backbone.model(input_ids=torch.tensor([row])).logits[0, -1].float()
            assert (whole - logits).abs().max() < 0.02 * whole.abs().max()


def test_words_become_poses_and_the_policy_comes_back_as_it_was_saved(seeing):
    first, second = (PosePolicy.from_pretrained(seeing) for _ in range(2))
    a, b = (p.text_to_pose("kneeling on both knees", 2, seed=1) for p in (first, second))
    assert "both knees bent" not in a[0].text and a[0].text.startswith("<POSE> ")
    assert [s.text for s in a] == [s.text for s in b] and a[0].log_prob == b[0].log_prob
    assert any("kneeling" in s.phrase and s.holds for s in a[0].statements)
    assert first.describe(a[0].pose) == second.describe(b[0].pose)


def test_two_steps_of_reinforcement_move_lora_and_heads_and_nothing_else(seeing, renders, tmp_path, monkeypatch):
    made = Trainer(
        settings(
            tmp_path, policy=str(seeing), dequantize=False, gradient_checkpointing=True, optim="adamw_8bit",
            text_every=3, tasks={"words": 1.0, "photos": 1.0}, photos=str(renders / "train"),
            reward_weights=REWARDS | {"spatial": 1.0},
        )
    )  # fmt: skip
    tasks = iter(["words", "words", "photos", "photos"])
    monkeypatch.setattr(made, "draw_task", lambda generator: next(tasks))
    before = {n: p.detach().clone() for n, p in made.policy.backbone.named_parameters()}
    heads = [module.net.leave.weight.detach().clone() for module in made.heads.values()]
    words = made.step(0)
    moved = {n for n, p in made.policy.backbone.named_parameters() if not torch.equal(p, before[n])}
    assert moved and all("lora_" in name for name in moved)
    poses = made.step(1) | made.step(2)  # poses alone: a model that knows nothing writes no <POSE>
    after_words = {n: made.lora[n].detach().clone() for n in made.lora}
    photos = made.step(3)
    assert any(not torch.equal(p, after_words[n]) for n, p in made.lora.items())
    for module, weight in zip(made.heads.values(), heads, strict=True):
        assert not torch.equal(module.net.leave.weight, weight)
    for metrics in (words, photos):
        assert math.isfinite(metrics["loss"]) and "kl" in metrics
    assert math.isfinite(poses["loss"]) and "pose/kl" in poses
    assert {"rewards/spatial/mean", "rewards/statements/mean"} <= poses.keys()


def test_drawn_words_after_a_picture_have_the_log_probs_of_one_pass(seeing, renders):
    """What is trained, a reading shared by its answers, is what transformers says of prompt and answer in one piece."""
    policy = PosePolicy.from_pretrained(seeing, trainable=True)
    batch = Photos(renders / "train", sees=True).batch([0, 1])
    rollout = draw_poses(batch.distribution({"lifter": policy.lifter}, None), 2, 1, torch.Generator().manual_seed(0))
    pictures = [open_one() for open_one in batch.pictures]
    add_words(policy, batch.asked, rollout, 1.0, 5, lambda n: torch.full((n, 1), 0.5), pictures)
    with torch.no_grad():
        found = token_logps(policy, rollout, 1.0)
        start = ask(policy.backbone, batch.asked, pictures).repeat(2)
    first = start.logits.log_softmax(-1).gather(1, rollout.answer_ids[:, :1])
    torch.testing.assert_close(found[:, :1], first, atol=1e-3, rtol=0)
    assert rollout.sampled[:, 0].all() and not torch.equal(start.logits[0], start.logits[2]), "each its own picture"


def test_a_photo_is_read_as_the_model_reads_it(folder):
    """The words that follow a picture and a request are those of transformers' own generate()."""
    backbone = Backbone.load(folder, load_in_4bit=False).float()  # in bfloat16 the next word may hang on rounding
    processor = load_processor(folder)
    photo = Image.open(EXAMPLES[1])
    start = look(backbone, processor, [photo], DESCRIBE, [backbone.pose_id])
    ours, _ = backbone.decode(start, 8)
    given = request(processor, [photo], DESCRIBE, [backbone.pose_id])
    theirs = backbone.model.generate(**given, max_new_tokens=8, do_sample=False)[:, given["input_ids"].shape[1] :]
    assert ours[0].tolist()[: theirs.shape[1]] == theirs[0].tolist()
    other = look(backbone, processor, [Image.open(EXAMPLES[0])], DESCRIBE, [backbone.pose_id])
    assert (other.logits - start.logits).abs().max() > 1e-3, "the picture is looked at"


def test_people_in_photos_are_told_of_with_the_picture_in_sight(seeing, policy):
    seeing_policy = PosePolicy.from_pretrained(seeing)
    (person,), (same,) = (p.image_to_pose(EXAMPLES[1]) for p in (seeing_policy, policy))
    assert person.samples[0].text.startswith("<POSE> ")
    assert (person.samples[0].pose.rotations == same.samples[0].pose.rotations).all(), "poses are the lifter's"


def test_a_model_without_a_processor_says_so(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BackboneError, match="its files name no processor_class"):
        load_processor(str(tmp_path))
