"""Reader: words -> the statements they make, and the named pose they speak of.

A sentence encoder (MiniLM: a BERT of six layers, 22 M parameters) reads the words in both directions; its upper layers
are fine-tuned. One attention query per statement looks at the tokens, because pooled features lose left and right;
one more looks for a name ("warrior two", "hailing a taxi") that stands for several statements at once. What was found
is then settled into statements that one body can show together.
"""

from dataclasses import dataclass

import torch
from torch import nn

FROZEN_LAYERS = 2  # of the six; with the word embeddings they stay as MiniLM has them and are not part of a policy
MAX_TOKENS = 256


@dataclass
class Reading:
    """What B prompts say.

    Attributes:
        probabilities: (B, S) of each statement; those above 0.5 were understood, and one body can show them together.
        name: (B,) int64: which named pose of the reader a prompt was taken for, or -1.
    """

    probabilities: torch.Tensor
    name: torch.Tensor


class Queries(nn.Module):
    """Hidden states (B, T, C) of words -> logits of S statements and of U named poses and none."""

    def __init__(self, hidden_size: int, statements: int, names: int, width: int = 192):
        super().__init__()
        self.dropout = nn.Dropout(0.1)
        self.key, self.value = nn.Linear(hidden_size, width), nn.Linear(hidden_size, width)
        self.query = nn.Parameter(torch.randn(statements + 1, width) * 0.1)
        self.weight = nn.Parameter(torch.randn(statements, width) * 0.05)
        self.bias = nn.Parameter(torch.full((statements,), -3.0))
        self.name = nn.Linear(width, names + 1)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (B, S) and (B, U + 1) of hidden states (B, T, C) and a mask (B, T), True on words."""
        h = self.dropout(hidden.float())
        scores = torch.einsum("sd,btd->bst", self.query, self.key(h)) / self.query.shape[1] ** 0.5
        attention = scores.masked_fill(~mask[:, None], -torch.inf).softmax(-1)
        read = torch.einsum("bst,btd->bsd", attention, self.value(h))
        return 10 * (read[:, :-1] * self.weight).sum(-1) + self.bias, self.name(read[:, -1])


class Reader(nn.Module):
    """Words -> logits of S statements and of U named poses.

    Args:
        encoder: transformers' BertModel, tokenizer: its tokenizer.
        titles: (U) names of the named poses, for people.
        recipes: (U, S) bool, the statements that each of them stands for.
    """

    def __init__(self, encoder, tokenizer, titles: list[str], recipes: torch.Tensor):
        super().__init__()
        names, statements = recipes.shape
        self.encoder, self.tokenizer, self.titles = encoder, tokenizer, titles
        self.queries = Queries(encoder.config.hidden_size, statements, names)
        self.register_buffer("recipes", recipes.float(), persistent=False)
        # Which statements were seen together in training poses; all are, until `learn_compatible` has looked.
        self.register_buffer("compatible", torch.ones(statements, statements))
        self.requires_grad_(True)

    @classmethod
    def load(cls, titles: list[str], recipes: torch.Tensor) -> "Reader":
        """A reader on the pinned MiniLM, fetched on first use; its own weights are still random.

        Raises:
            WeightsError: MiniLM cannot be had; the message names the fix.
        """
        from transformers import AutoTokenizer, BertModel

        from posegen import weights

        folder = weights.ensure("minilm")
        encoder = BertModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False)
        return cls(encoder, AutoTokenizer.from_pretrained(folder), titles, recipes)

    def title(self, name: int) -> str:
        """The title of a named pose; "" for -1."""
        return self.titles[name] if name >= 0 else ""

    @staticmethod
    def is_outside(name: str) -> bool:
        """Whether a parameter belongs to the part of MiniLM that stays as it is."""
        lower = tuple(f"encoder.encoder.layer.{i}." for i in range(FROZEN_LAYERS))
        return name.startswith(("encoder.embeddings.", *lower))

    def requires_grad_(self, requires_grad: bool = True):
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(requires_grad and not self.is_outside(name))
        return self

    def learn_compatible(self, scores: torch.Tensor, fewest: int = 3) -> None:
        """Take two statements for compatible if at least `fewest` poses, of scores (N, S), show both, tolerantly."""
        shown = (scores >= -1).to(self.compatible)
        self.compatible.copy_(shown.T @ shown >= fewest)

    def forward(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (B, S) of statements and (B, U + 1) of named poses, the last one for none."""
        return self.queries(*self.encode(texts))

    def encode(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states (B, T, C) of the encoder, and their mask (B, T)."""
        words = self.tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        words = words.to(self.compatible.device)
        with torch.autocast(self.compatible.device.type, torch.bfloat16, enabled=self.encoder.training):
            return self.encoder(**words).last_hidden_state, words.attention_mask.bool()

    @torch.no_grad()
    def read(self, texts: list[str]) -> Reading:
        """What texts say."""
        return self.settle(*self(texts))

    def settle(self, statements: torch.Tensor, names: torch.Tensor) -> Reading:
        """Single statements (logits (B, S)) and names (logits (B, U + 1)) weighed against each other.

        A statement's probability is the root mean square of what it was read with and of what the likely names say of
        it: one sure voice outweighs an unsure one. Then, from the surest down, statements that do not go with surer
        ones are dropped.
        """
        single, share = statements.sigmoid(), names.softmax(-1)
        told = share[:, :-1] @ self.recipes + share[:, -1:] * single
        probabilities = ((single**2 + told**2) / 2).sqrt()
        for row in probabilities:
            sure = []
            for i in row.argsort(descending=True)[: int((row > 0.5).sum())].tolist():
                if self.compatible[i, sure].all():
                    sure.append(i)
                else:
                    row[i] = 0
        best = names.argmax(-1)
        return Reading(probabilities, best.where(best < names.shape[1] - 1, -1))
