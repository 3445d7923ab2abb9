"""The memory plan: what is counted agrees with what is kept, and a 3B model's is worked out without its weights."""

import json

import pytest
import torch
from test_trainer import settings
from transformers import Qwen2_5_VLConfig

from finetune import memory, trainer
from posegen.backbone import Backbone
from posegen.policy import DEFAULT


def kept_per_token(backbone) -> float:
    """Bytes that a layer keeps of a token for the gradient, counted tensor by tensor."""
    own, found = {p.untyped_storage().data_ptr() for p in backbone.parameters()}, {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(100, (2, 64), generator=torch.Generator().manual_seed(0))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = backbone.prefill(backbone.embed(ids), torch.ones_like(ids).bool())
    assert out.last.requires_grad
    return sum(found.values()) / ids.numel() / len(backbone.layers)


def test_what_a_layer_keeps_is_what_the_plan_counts():
    for checkpointing in (False, True):
        backbone = Backbone.load(
            adapter=DEFAULT / "adapter", trainable=True, dequantize=True, gradient_checkpointing=checkpointing
        )
        shapes = backbone.model.config
        width = next(backbone.layers[0].mlp.parameters()).itemsize
        planned = memory.KEPT_BY_ATTENTION * shapes.hidden_size
        planned += 0 if checkpointing else memory.KEPT_BY_MLP * width * shapes.intermediate_size
        assert kept_per_token(backbone) == pytest.approx(planned, rel=0.1)


@pytest.mark.slow
def test_checkpointing_changes_no_gradient():
    found = []
    for checkpointing in (False, True):
        backbone = Backbone.load(adapter=DEFAULT / "adapter", trainable=True, gradient_checkpointing=checkpointing)
        ids = torch.tensor([backbone.prompt(backbone.words("kneeling"))])
        backbone.prefill(backbone.embed(ids), torch.ones_like(ids).bool()).logits.logsumexp(-1).sum().backward()
        found.append(torch.cat([p.grad.flatten() for p in backbone.parameters() if p.grad is not None]))
    assert found[0].norm() > 0 and torch.equal(*found)


@pytest.mark.slow
def test_a_step_takes_what_was_planned(tmp_path):
    config = settings(tmp_path, prompts_per_step=8, num_generations=4, max_completion_length=40)
    config.prompts = "assets/prompts/train.jsonl"
    planned = memory.plan(config).total
    made = trainer.Trainer(config)
    measured = made.preflight()  # of this process, whose tests before may have taken more
    assert planned > 2 and measured > 0.6 * planned


def qwen_3b(folder) -> str:
    """The config of Qwen2.5-VL-3B, from its model card, without weights."""
    text = {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
            "num_key_value_heads": 2, "vocab_size": 151_936, "tie_word_embeddings": True}  # fmt: skip
    vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 2048}
    Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True).save_pretrained(folder / "3b")
    return str(folder / "3b")


def test_the_plan_of_a_3b_model_is_printed_before_anything_is_loaded(tmp_path, monkeypatch, capsys):
    mine = json.loads((DEFAULT / "config.json").read_text()) | {"backbone": qwen_3b(tmp_path), "base": str(DEFAULT)}
    (tmp_path / "policy" / "adapter").mkdir(parents=True)
    (tmp_path / "policy" / "adapter" / "adapter_config.json").write_text('{"r": 16}')
    (tmp_path / "policy" / "config.json").write_text(json.dumps(mine))
    config = settings(
        tmp_path, policy=str(tmp_path / "policy"), dequantize=False, gradient_checkpointing=True, prompts_per_step=1,
        num_generations=8, poses_per_answer=4, max_completion_length=40, optim="adamw_8bit",
        tasks={"photos": 1.0}, photos="photos",
    )  # fmt: skip
    monkeypatch.setattr(trainer, "Trainer", lambda config: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        trainer.run(config)
    told = capsys.readouterr().out
    assert "36 layers of 2048, 4 bits" in told and "vision, not quantized" in told and "together" in told
    plan = memory.plan(config)
    of = {name.split(",")[0]: gb for name, gb in plan.parts.items()}
    assert of["language model"] == pytest.approx(2.77e9 * 0.5625 / 1e9, rel=0.02)  # 2.77 billion weights in layers
    assert of["embeddings and output"] == pytest.approx(151_936 * 2048 * 2 / 1e9, rel=0.01)  # tied: one table
    assert of["vision"] == pytest.approx(0.67 * 2, rel=0.05)  # 0.67 billion weights
    assert 4 < plan.total < 8.6  # 8 GiB
