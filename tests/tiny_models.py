"""Vision-language models of every family in miniature, with random weights and SmolLM2's tokenizer."""

import torch
import transformers
from transformers import (
    AutoModelForImageTextToText,
    AutoTokenizer,
    Idefics3Config,
    LlavaConfig,
    Qwen2_5_VLConfig,
    Qwen3VLConfig,
    SmolVLMConfig,
)

from posegen import weights
from posegen.sight import without_videos

MARKS = (
    "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", "<|vision_start|>", "<|vision_end|>",
    "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
ID = {mark: 49_152 + i for i, mark in enumerate(MARKS)}  # after SmolLM2's own
VOCABULARY = 49_152 + len(MARKS)
TEXT = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": VOCABULARY, "max_position_embeddings": 512, "pad_token_id": 2,
    "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
SEEING = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "patch_size": 16}
QWEN_SEEING = {"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4, "out_hidden_size": 64}
QWEN_IDS = {
    "image_token_id": ID["<|image_pad|>"], "video_token_id": ID["<|video_pad|>"],
    "vision_start_token_id": ID["<|vision_start|>"], "vision_end_token_id": ID["<|vision_end|>"],
}  # fmt: skip


def qwen2_5_vl():
    rope = {"type": "mrope", "mrope_section": [2, 3, 3]}
    seeing = {**QWEN_SEEING, "patch_size": 14, "fullatt_block_indexes": [1], "window_size": 112}
    return Qwen2_5_VLConfig(text_config={**TEXT, "rope_scaling": rope}, vision_config=seeing, **QWEN_IDS)


def qwen3_vl():
    rope = {"rope_type": "default", "mrope_section": [3, 3, 2], "mrope_interleaved": True}
    seeing = {**QWEN_SEEING, "patch_size": 16, "deepstack_visual_indexes": [0, 1], "num_position_embeddings": 64}
    text = {**TEXT, "head_dim": 16, "rope_scaling": rope}
    return Qwen3VLConfig(text_config=text, vision_config=seeing, **QWEN_IDS)


def smolvlm(kind=SmolVLMConfig):
    seeing = {**SEEING, "num_hidden_layers": 2, "image_size": 64}
    text = {"model_type": "llama", **TEXT}
    return kind(text_config=text, vision_config=seeing, scale_factor=2, image_token_id=ID["<image>"])


def idefics3():
    return smolvlm(Idefics3Config)


def llava():
    seeing = {
        **SEEING,
        "model_type": "clip_vision_model",
        "num_hidden_layers": 3,
        "image_size": 64,
        "projection_dim": 64,
    }
    text = {"model_type": "llama", **TEXT}
    return LlavaConfig(text_config=text, vision_config=seeing, image_token_index=ID["<image>"])


def qwen_processor(kind, patch_size: int):
    pictures = transformers.Qwen2VLImageProcessorPil(patch_size=patch_size, min_pixels=3136, max_pixels=12_544)
    return lambda tokenizer: without_videos(kind)(image_processor=pictures, tokenizer=tokenizer)


def tiled_processor(kind):
    """As SmolVLM's: the whole picture and tiles of it, 4 tokens each."""
    name = kind.__name__.replace("Processor", "ImageProcessorPil")
    pictures = getattr(transformers, name)(size={"longest_edge": 128}, max_image_size={"longest_edge": 64})
    return lambda tokenizer: without_videos(kind)(pictures, tokenizer=tokenizer, image_seq_len=4)


def llava_processor(tokenizer):
    side = {"height": 64, "width": 64}
    pictures = transformers.CLIPImageProcessorPil(size={"shortest_edge": 64}, crop_size=side)
    return transformers.LlavaProcessor(
        pictures, tokenizer, patch_size=16, vision_feature_select_strategy="default", num_additional_image_tokens=1
    )


#: family -> its config, its processor of a tokenizer, and what stands for a picture in a prompt.
FAMILIES = {
    "qwen2_5_vl": (qwen2_5_vl, qwen_processor(transformers.Qwen2_5_VLProcessor, 14)),
    "qwen3_vl": (qwen3_vl, qwen_processor(transformers.Qwen3VLProcessor, 16)),
    "smolvlm": (smolvlm, tiled_processor(transformers.SmolVLMProcessor)),
    "idefics3": (idefics3, tiled_processor(transformers.Idefics3Processor)),
    "llava": (llava, llava_processor),
}
#: As theirs: the parts of a turn are a list, images among them.
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ': ' }}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ 'IMAGE' }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}{{ '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


def write(family: str, folder, text=None, vision=None, device="cpu") -> str:
    """Write a model of a family as its makers would: weights in bfloat16, a processor with a chat template.

    text, vision: shapes instead of the miniature ones; the processor then makes pictures as large as they are given.
    """
    config, processor = FAMILIES[family]
    shapes = config()
    for part, more in ((shapes.text_config, text), (shapes.vision_config, vision)):
        for name, value in (more or {}).items():
            setattr(part, name, value)
    shapes.tie_word_embeddings = bool(text and text.get("tie_word_embeddings"))
    torch.manual_seed(0)
    with torch.device(device):
        AutoModelForImageTextToText.from_config(shapes, dtype=torch.bfloat16).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(weights.ensure("smollm2-135m"))
    tokenizer.add_special_tokens({"additional_special_tokens": list(MARKS)}, replace_extra_special_tokens=False)
    assert tokenizer.convert_tokens_to_ids("<image>") == ID["<image>"]
    mark = "<|vision_start|><|image_pad|><|vision_end|>" if family.startswith("qwen") else "<image>"
    tokenizer.chat_template = TEMPLATE.replace("IMAGE", mark)
    tokenizer.save_pretrained(folder)
    made = processor(tokenizer)
    if vision and hasattr(made.image_processor, "max_pixels"):
        made.image_processor.size["longest_edge"] = 448 * 448
        made.image_processor.max_pixels = 448 * 448
    made.chat_template = tokenizer.chat_template
    made.save_pretrained(folder)
    return str(folder)
