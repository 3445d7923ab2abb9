"""Every family of vision-language models, in miniature, as the backbone: 4 bits, LoRA, poses, reinforcement."""

import bitsandbytes as bnb
import pytest
import torch
from PIL import Image
from test_trainer import settings
from tiny_models import FAMILIES, write

from finetune.trainer import Trainer
from posegen import posecodes
from posegen.backbone import Backbone, BackboneError
from posegen.head import StatementTokens
from posegen.policy import DESCRIBE, PosePolicy, save_policy
from posegen.sight import load_processor, look, request
from posegen.ui.photo import EXAMPLES


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tmp_path_factory):
    return write(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def seeing(folder, policy, tmp_path_factory):
    """A policy folder on the backbone: everything but words is the shipped policy's."""
    backbone = Backbone.load(folder, trainable=True)
    torch.manual_seed(0)
    tokens = StatementTokens(len(posecodes.NAMES), backbone.hidden_size)
    out = tmp_path_factory.mktemp("policy")
    save_policy(out, folder, backbone, policy.head, policy.reader, policy.lifter, tokens)
    return out


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


def test_two_steps_of_reinforcement_move_lora_and_head_and_nothing_else(seeing, tmp_path):
    made = Trainer(settings(tmp_path, policy=str(seeing), dequantize=False, text_every=2))  # words, then poses alone
    before = {n: p.detach().clone() for n, p in made.policy.backbone.named_parameters()}
    head = made.policy.head.net.leave.weight.detach().clone()
    metrics = made.step(0) | made.step(1)
    moved = {n for n, p in made.policy.backbone.named_parameters() if not torch.equal(p, before[n])}
    assert moved and all("lora_" in name for name in moved)
    assert not torch.equal(made.policy.head.net.leave.weight, head)
    assert metrics["loss"] == metrics["loss"] and "kl" in metrics and "pose/kl" in metrics


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
