"""The language model, alone or of a vision-language model: in 4 bits, with LoRA and `<POSE>`, guarded against packing.

The trap (bitsandbytes 0.50 on CPUs with AVX512-BF16): in eval mode without gradients `Linear4bit.forward` repacks its
weight in place for speed, and nothing undoes it.  Afterwards LoRA gradients are silently wrong and
`save_pretrained` writes garbage.  A backbone loaded with `trainable=True` therefore never packs; one loaded for
inference may pack, and refuses to train.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

POSE_TOKEN = "<POSE>"
SYSTEM = "3D pose"  # short: every prompt pays for it
#: Language layers only. All seven linear layers cost a CPU twice the time of a training step.
LORA_TARGETS = r"(?!.*vis(ion|ual)).*\.(q_proj|v_proj)"
#: Not in 4 bits: what sees, what brings it to the language model (few weights, all of the picture), and the head.
FULL_PRECISION = [
    "model.visual", "model.vision_model", "model.vision_tower", "model.connector", "model.multi_modal_projector",
    "lm_head",
]  # fmt: skip


class BackboneError(ValueError):
    """A language model that cannot be loaded or used as asked; the message says what to do."""


@dataclass
class Prefill:
    """What a pass over prompts leaves: next-token logits (B, V), the cache, the mask (B, T).

    Attributes:
        last: (B, C) the hidden state that the logits were read from.
        offset: (B, 1) what positions are ahead of the count of tokens: a picture's may share one.
    """

    logits: torch.Tensor
    cache: object
    mask: torch.Tensor
    last: torch.Tensor
    offset: torch.Tensor | int = 0

    def repeat(self, times: int) -> "Prefill":
        """Every row `times` times: several answers share one reading of their prompt.  This one's cache is used up."""
        self.cache.batch_repeat_interleave(times)
        logits, mask, last = (v.repeat_interleave(times, 0) for v in (self.logits, self.mask, self.last))
        offset = self.offset if isinstance(self.offset, int) else self.offset.repeat_interleave(times, 0)
        return Prefill(logits, self.cache, mask, last, offset)


def compute_dtype(device: str) -> torch.dtype:
    """bfloat16 where the hardware multiplies it, else float32."""
    if device == "cpu":
        return torch.bfloat16 if torch.backends.cpu.get_cpu_capability().startswith("AVX512") else torch.float32
    return torch.bfloat16


def nf4(dtype: torch.dtype, but: list[str] | None = None):
    """The 4-bit format that policies are kept in, computing in `dtype`; for all linear layers `but` those named."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype, bnb_4bit_use_double_quant=False,
        llm_int8_skip_modules=but,
    )  # fmt: skip


def resolve(name: str) -> str:
    """A folder or hub id from a backbone's name; the embedded default is fetched on first use."""
    if name == "smollm2-135m":
        from posegen import weights

        return str(weights.ensure(name))
    return name


class Backbone(torch.nn.Module):
    """A causal language model with helpers for prompts, features and greedy decoding.

    Attributes:
        model: the transformers (or peft) model; of a vision-language model the language layers are used.
        tokenizer: its tokenizer, with `<POSE>` added.
        sees: it is a vision-language model.
        in_step: other processes hold parts of its weights, so all must go through it equally often.
        name: what it was loaded from.
    """

    def __init__(self, model, tokenizer, trainable: bool, name: str):
        super().__init__()
        self.model, self.tokenizer, self.trainable, self.name = model, tokenizer, trainable, name
        self.sees = hasattr(model.config, "vision_config")
        self.in_step = False
        self.pose_id = tokenizer.convert_tokens_to_ids(POSE_TOKEN)
        self.chat_start, self.chat_end = self._template()

    @classmethod
    def load(
        cls,
        name="smollm2-135m",
        adapter=None,
        load_in_4bit=True,
        trainable=False,
        device="cpu",
        lora_rank=8,
        dequantize=False,
        gradient_checkpointing=False,
        attn_implementation="sdpa",
    ):
        """Load a backbone.

        Args:
            name: "smollm2-135m" (the embedded default), a folder, or a hub id.
            adapter: a peft adapter folder; None with trainable=True makes a fresh LoRA of rank `lora_rank`.
            load_in_4bit: the linear layers in NF4, quantised while loading where the files are not.
            trainable: LoRA gets gradients and the packing trap is closed.
            dequantize: keep NF4's rounding but hold the weights unpacked (faster training, four times the memory).
            gradient_checkpointing: compute MLPs again for the gradient instead of keeping what they computed.
            attn_implementation: "sdpa", "flash_attention_2" (package flash-attn) or "eager".
        Raises:
            BackboneError: nothing that loads as a causal language model or a vision-language model is there.
        """
        from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, AutoTokenizer

        dtype, folder = compute_dtype(device), resolve(name)
        try:
            config = AutoConfig.from_pretrained(folder)
            quantized = hasattr(config, "quantization_config")
            sees = hasattr(config, "vision_config")
            kind = AutoModelForImageTextToText if sees else AutoModelForCausalLM
            but = FULL_PRECISION if sees else None
            quantization = {"quantization_config": nf4(dtype, but)} if load_in_4bit and not quantized else {}
            tokenizer = AutoTokenizer.from_pretrained(folder)
            model = kind.from_pretrained(
                folder, dtype=dtype, device_map={"": device}, attn_implementation=attn_implementation, **quantization
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            reason = str(error).splitlines()[0]
            raise BackboneError(
                f"The language model {name!r} does not load ({reason}); give a model folder or a hub id."
            ) from error
        if tokenizer.convert_tokens_to_ids(POSE_TOKEN) in (None, tokenizer.unk_token_id):
            tokenizer.add_special_tokens(
                {"additional_special_tokens": [POSE_TOKEN]}, replace_extra_special_tokens=False
            )
            if len(tokenizer) > model.get_input_embeddings().num_embeddings:
                add_embedding(model, len(tokenizer))
        if quantized:
            compute_in(model, dtype)
        if dequantize if load_in_4bit else quantized:
            model = model.dequantize()
        if trainable:
            close_packing_trap(model)
        model = with_lora(model, tokenizer, adapter, trainable, lora_rank)
        backbone = cls(model, tokenizer, trainable, name)
        if gradient_checkpointing:
            forget_mlps(backbone.layers)
        return backbone

    def train(self, mode: bool = True):
        if mode and not self.trainable:
            raise BackboneError("This model was loaded for answering; load it with trainable=True to fine-tune it.")
        return super().train(mode)

    @property
    def _causal(self):
        """The causal language model under peft's wrapping, if there is one; LoRA sits in its layers either way."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def layers(self):
        """The layers of the language model."""
        return self._causal.get_decoder().layers

    @property
    def device(self):
        return self.model.device

    @property
    def hidden_size(self) -> int:
        return self.model.get_input_embeddings().weight.shape[1]

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """(…,) token ids -> (…, C) input embeddings.

        Call it once for many ids: while `<POSE>` is trained, each call copies the whole table.
        """
        return self.model.get_input_embeddings()(ids)

    # ---- prompts

    def _template(self) -> tuple[list[int], list[int]]:
        marker = "@@"
        content = lambda text: [{"type": "text", "text": text}] if self.sees else text  # noqa: E731
        chat = [{"role": "system", "content": content(SYSTEM)}, {"role": "user", "content": content(marker)}]
        text = self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        before, after = text.split(marker)
        return tuple(self.tokenizer(part, add_special_tokens=False).input_ids for part in (before, after))

    def words(self, text: str) -> list[int]:
        """Token ids of a user's words; special tokens written in them are read as plain characters."""
        return self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids

    def prompt(self, content: list[int]) -> list[int]:
        """The chat around a user's turn, up to where the model answers."""
        return [*self.chat_start, *content, *self.chat_end]

    def reply(self, text: str) -> list[int]:
        """Token ids of what follows a pose in an answer: the `<POSE>` that closes it, the words, end of turn."""
        return [
            self.pose_id,
            *self.tokenizer(" " + text, add_special_tokens=False).input_ids,
            self.tokenizer.eos_token_id,
        ]

    def pad_left(self, rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids (B, T) of several prompts, padded on the left, and their mask (B, T)."""
        length = max(map(len, rows))
        ids = torch.full((len(rows), length), self.tokenizer.eos_token_id)
        mask = torch.zeros(len(rows), length, dtype=torch.bool)
        for i, row in enumerate(rows):
            ids[i, length - len(row) :], mask[i, length - len(row) :] = torch.tensor(row), True
        return ids.to(self.device), mask.to(self.device)

    # ---- forward

    def hidden(self, embeddings: torch.Tensor, mask: torch.Tensor, offset=0, **options):
        """The transformer's output for input embeddings (B, T, C) and a mask (B, T); options go to its forward."""
        positions = (mask.long().cumsum(-1) - 1).clamp_min(0)[:, -embeddings.shape[1] :] + offset
        return self._causal.get_decoder()(
            inputs_embeds=embeddings,
            attention_mask=mask.long(),
            position_ids=positions,
            **options,
        )

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Next-token logits (N, V) float32 of last hidden states (N, C).

        Rows must lie one after another in memory: torch 2.13 multiplies bfloat16 slices (h[:, -1:]) 300 times slower.
        """
        return self._causal.get_output_embeddings()(hidden.contiguous()).float()

    def prefill(self, embeddings: torch.Tensor, mask: torch.Tensor, start: Prefill | None = None) -> Prefill:
        """One pass over input embeddings (B, T, C) with mask (B, T), padded on the left; after `start`, if given."""
        cache, offset = (None, 0) if start is None else (start.cache, start.offset)
        if start is not None:
            mask = torch.cat([start.mask, mask], 1)
        out = self.hidden(embeddings, mask, offset, past_key_values=cache, use_cache=True)
        last = out.last_hidden_state[:, -1]
        return Prefill(self.logits(last), out.past_key_values, mask, last, offset)

    def see(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **picture) -> Prefill:
        """One pass of a vision-language model over a prompt with pictures, as its processor made it."""
        out = self._causal.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=True, **picture)
        offset = getattr(self._causal.model, "rope_deltas", None)  # the Qwen family: a picture takes fewer positions
        last = out.last_hidden_state[:, -1]
        mask = attention_mask.bool()
        return Prefill(self.logits(last), out.past_key_values, mask, last, 0 if offset is None else offset)

    @torch.no_grad()
    def decode(self, start: Prefill, max_new_tokens: int, temperature: float = 0.0, uniform=None):
        """What follows the prompts of `start`: token ids (B, T), and which are said, up to a row's end of turn (B, T).

        Args:
            temperature: 0 takes the likeliest token; otherwise tokens are drawn, with `uniform` (see `choose`).
        """
        logits, cache, mask, offset = start.logits, start.cache, start.mask, start.offset
        eos = self.tokenizer.eos_token_id
        tokens, said, finished = [], [], torch.zeros(len(mask), dtype=torch.bool, device=mask.device)
        for _ in range(max_new_tokens):
            token = self.choose(logits, temperature, uniform).masked_fill(finished, eos)
            tokens.append(token)
            said.append(~finished)
            finished = finished | (token == eos)
            if finished.all() and not self.in_step:
                break
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
            out = self.hidden(self.embed(token[:, None]), mask, offset, past_key_values=cache, use_cache=True)
            logits, cache = self.logits(out.last_hidden_state[:, -1]), out.past_key_values
        return torch.stack(tokens, 1), torch.stack(said, 1)

    def choose(self, logits: torch.Tensor, temperature: float, uniform=None) -> torch.Tensor:
        """The next token (B,) from logits (B, V); uniform: f(B) -> (B, 1) numbers in [0, 1), torch's own if None."""
        if temperature <= 0:
            return logits.argmax(-1)
        # multinomial draws a number for every word: ten times slower
        below = (logits / temperature).softmax(-1).cumsum(-1)
        drawn = torch.rand(len(logits), 1) if uniform is None else uniform(len(logits))
        drawn = drawn.to(logits.device) * below[:, -1:]
        return torch.searchsorted(below, drawn)[:, 0].clamp_max(logits.shape[-1] - 1)

    def continue_reply(self, start: Prefill, max_new_tokens: int = 40) -> list[str]:
        """The likeliest words after the prompts of `start`, one string per row."""
        ids, _ = self.decode(start, max_new_tokens)
        return [text.strip() for text in self.tokenizer.batch_decode(ids, skip_special_tokens=True)]


def compute_in(model, dtype: torch.dtype) -> None:
    """Make a model that was stored in 4 bits compute in `dtype`; transformers loads it in the type it was saved in."""
    import bitsandbytes as bnb

    for module in model.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            module.compute_dtype = module.weight.quant_state.dtype = dtype
    for weight in model.parameters():
        if weight.is_floating_point():
            weight.data = weight.data.to(dtype)


def add_embedding(model, size: int) -> None:
    """Grow the vocabulary to `size` rows; new rows are the mean of the old, so that they start out likely nowhere."""
    old = model.get_input_embeddings().num_embeddings
    model.resize_token_embeddings(size, mean_resizing=False)
    with torch.no_grad():
        for table in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
            table[old:] = table[:old].float().mean(0).to(table.dtype)


def close_packing_trap(model) -> None:
    """Forbid bitsandbytes' in-place repacking (see the module's docstring)."""
    import bitsandbytes as bnb

    for module in model.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            module.support_avx512bf16_for_cpu = False


def forget_mlps(layers) -> None:
    """Let the MLPs of layers keep nothing for the gradient but their input, and compute again.

    They hold two thirds of what a pass keeps. Attention must not be run twice: its cache would grow twice, and by the
    cache the answers to a prompt share its reading (transformers' own checkpointing turns it off).
    """
    from torch.utils.checkpoint import checkpoint

    for layer in layers:
        layer.mlp.forward = partial(checkpoint, layer.mlp.forward, use_reentrant=False)


def with_lora(model, tokenizer, adapter, trainable: bool, rank: int):
    """The model with a LoRA adapter: loaded from a folder, or fresh for training; as it is for neither."""
    from peft import LoraConfig, PeftModel, get_peft_model

    if adapter is not None:
        if not (Path(adapter) / "adapter_config.json").is_file():
            raise BackboneError(
                f"There is no LoRA adapter in {Path(adapter).name}; give a folder made by `python -m finetune`."
            )
        model = PeftModel.from_pretrained(model, adapter, is_trainable=trainable)
    elif trainable:
        pose_id = tokenizer.convert_tokens_to_ids(POSE_TOKEN)
        config = LoraConfig(
            r=rank, lora_alpha=2 * rank, target_modules=LORA_TARGETS, task_type="CAUSAL_LM",
            trainable_token_indices={"embed_tokens": [pose_id]},
        )  # fmt: skip
        model = get_peft_model(model, config)
    if not trainable:
        merge_token_rows(model)
        model.requires_grad_(False)
    return model.eval()


def merge_token_rows(model) -> None:
    """Write the trained row of `<POSE>` into the table; unmerged, peft copies the whole table for every token."""
    from peft.tuners.trainable_tokens.layer import TrainableTokensLayer

    for module in model.modules():
        if isinstance(module, TrainableTokensLayer):
            module.merge()
