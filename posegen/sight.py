"""Sight: a photo as a vision-language model reads it, its image tokens and the words around them."""

import functools
import json
from pathlib import Path

import torch
from PIL import ImageOps

from posegen.backbone import SYSTEM, Backbone, BackboneError, Prefill, resolve

MARGIN = 0.15  # of a person's box, seen around it
SIDE = 448  # pixels of the square that a model is shown: 256 tokens of Qwen2.5-VL's


@functools.cache
def load_processor(name: str):
    """What makes a model's inputs of words and pictures; without its part for videos, which would ask for torchvision.

    Raises:
        BackboneError: the model has none; the message says why.
    """
    import transformers

    folder = resolve(name)
    try:
        kind = getattr(transformers, processor_class(folder))
        made = without_videos(kind).from_pretrained(folder)
    except (OSError, ValueError, ImportError, TypeError, AttributeError, KeyError) as error:
        raise BackboneError(
            f"The pictures of {name!r} cannot be read ({str(error).splitlines()[0]}); get the model's folder again."
        ) from error
    if hasattr(made.image_processor, "do_image_splitting"):
        made.image_processor.do_image_splitting = False  # SmolVLM's seventeen views of one small picture
    return made


def without_videos(kind):
    """A processor class without its part for videos."""
    parts = kind.get_attributes()
    if "video_processor" not in parts:
        return kind

    # Named, since transformers reads from the files what an __init__ names.
    def init(self, image_processor=None, tokenizer=None, video_processor=None, chat_template=None, image_seq_len=None):
        given = {} if image_seq_len is None else {"image_seq_len": image_seq_len}
        kind.__init__(self, image_processor, tokenizer, video_processor, chat_template=chat_template, **given)
        self.video_processor = None

    own = classmethod(lambda cls: [part for part in parts if part != "video_processor"])
    return type(kind.__name__, (kind,), {"__init__": init, "get_attributes": own})


def processor_class(folder: str) -> str:
    """The name of a model's processor class, as its files give it."""
    from transformers.utils import cached_file

    for name in ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json"):
        path = cached_file(folder, name, _raise_exceptions_for_missing_entries=False)
        if path and (kind := json.loads(Path(path).read_text(encoding="utf-8")).get("processor_class")):
            return kind
    raise ValueError("its files name no processor_class")


def request(processor, photos: list, text: str, answer: list[int]):
    """A model's inputs for photos (PIL) and the same words about each, up to the tokens that the answer begins with.

    Photos become squares of one size: rows are as long as one another, however large the photos were.
    """
    asked = [{"type": "image"}, {"type": "text", "text": text}]
    chat = [{"role": "system", "content": [{"type": "text", "text": SYSTEM}]}, {"role": "user", "content": asked}]
    words = processor.tokenizer.apply_chat_template(
        chat, chat_template=processor.chat_template, add_generation_prompt=True, tokenize=False
    )
    squares = [[ImageOps.pad(photo.convert("RGB"), (SIDE, SIDE), color="gray")] for photo in photos]
    given = processor(text=[words] * len(photos), images=squares, return_tensors="pt")
    if answer:
        begun = torch.tensor(answer).expand(len(photos), -1)
        ones = {"input_ids": begun, "attention_mask": begun * 0 + 1, "mm_token_type_ids": begun * 0}
        for name in ones.keys() & given.keys():
            given[name] = torch.cat([given[name], ones[name]], 1)
    return given


def look(backbone: Backbone, processor, photos: list, text: str, answer: list[int] = ()) -> Prefill:
    """One reading of photos (PIL) and words about them, up to the tokens that the answer begins with."""
    return backbone.see(**request(processor, photos, text, list(answer)).to(backbone.device))


def around(photo, box) -> object:
    """The part of a photo around a person's box (x0, y0, x1, y1) in pixels."""
    x0, y0, x1, y1 = box
    dx, dy = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
    edges = max(0, x0 - dx), max(0, y0 - dy), min(photo.width, x1 + dx), min(photo.height, y1 + dy)
    return photo.crop(tuple(map(round, edges)))
