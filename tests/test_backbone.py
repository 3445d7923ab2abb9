"""The 4-bit backbone: the packing trap, special tokens, padding and decoding."""

import pytest
import torch

from posegen.backbone import POSE_TOKEN, Backbone, BackboneError


@pytest.fixture(scope="module")
def trainable():
    return Backbone.load(trainable=True)


@pytest.fixture(scope="module")
def answering():
    return Backbone.load()


LONG = "a person kneels on the left knee and raises both hands"


def rows_of(backbone, text):
    return backbone.prompt(backbone.words(text)) + [backbone.pose_id]


def prompt_of(backbone, text):
    ids = torch.tensor([rows_of(backbone, text)])
    return backbone.embed(ids), torch.ones_like(ids, dtype=torch.bool)


def lora_gradients(backbone):
    """Gradients of the LoRA matrices for a fixed loss; the B matrices start at zero, so they are filled first."""
    parameters = {n: p for n, p in backbone.model.named_parameters() if "lora_" in n}
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name in sorted(parameters):
            parameters[name].copy_(0.02 * torch.randn(parameters[name].shape, generator=generator))
    backbone.model.zero_grad()
    ids = torch.tensor([rows_of(backbone, "both arms raised") + backbone.reply("The person raises both arms.")])
    logits = backbone.model(input_ids=ids).logits.float()
    torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:]).backward()
    # The trap can leave a parameter without any gradient.
    return {n: torch.zeros_like(p) if p.grad is None else p.grad.clone() for n, p in parameters.items()}


def gradient_error_after_generating() -> float:
    """Relative error of the 4-bit model's LoRA gradients, after it generated, against the dequantized model's."""
    quantized = Backbone.load(trainable=True)
    quantized.eval()
    with torch.inference_mode():
        quantized.continue_reply(quantized.prefill(*prompt_of(quantized, "standing")), 4)
    after = lora_gradients(quantized.train())
    expected = lora_gradients(Backbone.load(trainable=True, dequantize=True).train())
    assert after.keys() == expected.keys() and len(after) == 120
    flat = lambda g: torch.cat([v.flatten() for _, v in sorted(g.items())])  # noqa: E731
    return ((flat(after) - flat(expected)).norm() / flat(expected).norm()).item()


@pytest.mark.slow
def test_lora_gradients_after_generating_equal_the_dequantized_models(monkeypatch):
    # float32, since bfloat16's own rounding (1%) would hide the figure; packing happens in either.
    monkeypatch.setattr("posegen.backbone.compute_dtype", lambda device: torch.float32)
    error = gradient_error_after_generating()
    print(f"relative error of LoRA gradients after generate(): {error:.1e}")
    assert error < 1e-3


@pytest.mark.slow
def test_without_the_guard_the_gradients_are_wrong(monkeypatch):
    from bitsandbytes.functional import has_avx512bf16

    if not has_avx512bf16():
        pytest.skip("this CPU does not pack weights")
    monkeypatch.setattr("posegen.backbone.compute_dtype", lambda device: torch.float32)
    monkeypatch.setattr("posegen.backbone.close_packing_trap", lambda model: None)
    assert gradient_error_after_generating() > 0.1


def test_a_model_loaded_for_answering_refuses_to_train(answering):
    with pytest.raises(BackboneError, match="trainable=True"):
        answering.train()


def test_nf4_weights_are_small(answering):
    assert answering.model.get_memory_footprint() < 200e6


def test_special_tokens_in_the_users_words_are_plain_text(answering):
    ids = answering.words(f"standing {POSE_TOKEN} <|im_end|> <|im_start|>")
    special = {answering.pose_id, *answering.tokenizer.all_special_ids}
    assert not special & set(ids)
    assert answering.tokenizer.decode(ids) == f"standing {POSE_TOKEN} <|im_end|> <|im_start|>"


def test_reply_closes_the_pose_and_ends_the_turn(answering):
    ids = answering.reply("The person stands.")
    assert ids[0] == answering.pose_id and ids[-1] == answering.tokenizer.eos_token_id
    assert answering.tokenizer.decode(ids[1:-1]).strip() == "The person stands."


@torch.inference_mode()
def test_the_language_model_still_speaks(answering):
    embeddings, mask = prompt_of(answering, "What is the capital of France?")
    start = answering.prefill(embeddings[:, :-1], mask[:, :-1])  # without <POSE>
    assert "Paris" in answering.continue_reply(start, 16)[0]


@torch.inference_mode()
def test_left_padding_changes_nothing(trainable):
    short, _ = prompt_of(trainable, "standing")
    alone = trainable.prefill(short, torch.ones(short.shape[:2], dtype=torch.bool))
    ids, mask = trainable.pad_left([rows_of(trainable, "standing"), rows_of(trainable, LONG)])
    both = trainable.prefill(trainable.embed(ids), mask)
    padded, other = (both.logits - alone.logits).abs().mean(1)
    assert padded < 0.3 * other


@torch.inference_mode()
def test_reading_in_two_parts_and_repeating_equals_reading_at_once(trainable):
    embeddings, mask = prompt_of(trainable, LONG)
    whole = trainable.prefill(embeddings, mask)
    first = trainable.prefill(embeddings[:, :-5], mask[:, :-5]).repeat(2)
    second = trainable.prefill(embeddings[:, -5:].repeat(2, 1, 1), mask[:, -5:].repeat(2, 1), first)
    for row in second.logits:
        assert (row - whole.logits[0]).abs().max() < 0.05 * whole.logits.abs().max()


@torch.inference_mode()
def test_decoding_equals_generate(trainable):
    embeddings, mask = prompt_of(trainable, "describe a cat")
    ours = trainable.continue_reply(trainable.prefill(embeddings, mask), 8)[0]
    ids = trainable.model.generate(
        inputs_embeds=embeddings, attention_mask=mask.long(), max_new_tokens=8, do_sample=False
    )
    assert ours == trainable.tokenizer.decode(ids[0], skip_special_tokens=True).strip()


def test_wrong_folder_is_named(tmp_path):
    with pytest.raises(BackboneError, match="model folder or a hub id"):
        Backbone.load(str(tmp_path))
