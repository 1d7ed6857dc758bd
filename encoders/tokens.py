"""Text front end: the ids of characters, subwords or words -> vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Tokens(nn.Module):
    """Embeds the tokens of a text.

    Beside each token, the pair of it and the one before it may have a vector of its own, which is added. All
    pairs share a table of hashed rows (Weinberger et al. 2009; fastText, Joulin et al. 2017), so that
    "not good" is seen as such from the first layer on. In the same way the beginnings and ends of a word,
    given as further columns of numbers, tell something of words that were never seen.

    Args:
        num_symbols: size of the vocabulary, id 0 included, which stands for what it does not hold.
        output_size: features of each token.
        pairs: rows of the table of pairs; 0 for none.
        affixes: rows of the table of beginnings and ends; 0 for none.
        dropout: dropout on the vectors.
        hidden: share of the tokens that are taken for unknown ones in training (word dropout, Iyyer et
            al. 2015).
        lower: whether readers convert texts to lower case. The network does not use it.

    Raises:
        ValueError: a size below 1, or shares that are none.
    """

    def __init__(
        self,
        num_symbols: int,
        output_size: int = 128,
        pairs: int = 0,
        affixes: int = 0,
        dropout: float = 0.0,
        hidden: float = 0.0,
        lower: bool = True,
    ):
        super().__init__()
        if min(num_symbols, output_size) < 1 or min(pairs, affixes) < 0:
            raise ValueError("num_symbols and output_size must be at least 1, pairs and affixes 0 or more")
        if not (0 <= dropout < 1 and 0 <= hidden < 1):
            raise ValueError(f"dropout and hidden are shares from 0 to below 1, not {dropout} and {hidden}")
        self.output_size, self.pairs, self.affixes = output_size, pairs, affixes
        self.dropout, self.hidden, self.lower = dropout, hidden, lower
        self.symbols = nn.Embedding(num_symbols, output_size)
        nn.init.normal_(self.symbols.weight, std=0.1)
        self.neighbours = None
        if pairs:
            self.neighbours = nn.Embedding(pairs, output_size)
            nn.init.zeros_(self.neighbours.weight)
        self.parts = None
        if affixes:
            self.parts = nn.EmbeddingBag(affixes, output_size, mode="sum", padding_idx=0)
            nn.init.normal_(self.parts.weight, std=0.03)
            with torch.no_grad():
                self.parts.weight[0] = 0

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Ids -> vectors.

        Args:
            x: (batch, time) ids, whole numbers, padded at the end with any of them; or with affixes
                (batch, time, 1 + n), each id with the numbers of rows of the table, 0 for none.
            lengths: (batch,) valid tokens of each text.

        Returns:
            (batch, time, output_size) vectors, and `lengths`.
        """
        x = x.long()
        x, affixes = (x, None) if x.dim() == 2 else (x[..., 0], x[..., 1:])
        if self.training and self.hidden:
            x = x.masked_fill(torch.rand(x.shape, device=x.device) < self.hidden, 0)
        vectors = self.symbols(x)
        if self.neighbours is not None:
            before = F.pad(x, (1, 0))[:, :-1]
            vectors = vectors + self.neighbours((before * 1_000_003 + x * 7_919) % self.pairs)
        if self.parts is not None:
            if affixes is None:
                raise ValueError("a model of beginnings and ends of words needs them as further columns")
            vectors = vectors + self.parts(affixes.flatten(0, 1)).view_as(vectors)
        return F.dropout(vectors, self.dropout, self.training), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """A vector for each token."""
        return lengths
