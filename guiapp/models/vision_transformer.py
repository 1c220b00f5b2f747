"""A small vision transformer: a picture as a sentence of patches, read by attention."""

from collections import OrderedDict

import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.initialise import initialise


class PositionEmbedding(nn.Module):
    """Puts the class token before the patches and adds to each token what its place has learned to be."""

    def __init__(self, places: int, size: int) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, size))
        self.position = nn.Parameter(torch.randn(1, 1 + places, size) * 0.02)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Tokens (N, 1 + places, size) of patches (N, size, rows, columns)."""
        tokens = patches.flatten(2).transpose(1, 2)
        return torch.cat([self.class_token.expand(len(tokens), -1, -1), tokens], 1) + self.position


class Block(nn.Module):
    """Attention, then two dense layers for each token; both are added to what they are given (pre-norm)."""

    branch_ends = ("attention", "mlp")  # see models.changed_drops

    def __init__(self, size: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(size)
        self.attention = nn.MultiheadAttention(size, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(size)
        self.mlp = nn.Sequential(
            OrderedDict(fc1=nn.Linear(size, hidden), gelu=nn.GELU(), fc2=nn.Linear(hidden, size)),
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens (N, T, size) of tokens of the same shape."""
        normed = self.norm1(tokens)
        tokens = tokens + self.attention(normed, normed, normed, need_weights=False)[0]
        found: torch.Tensor = tokens + self.mlp(self.norm2(tokens))
        return found


class VisionTransformer(nn.Module):
    """Patches, a class token, learned positions, ``depth`` blocks, a dense layer on the class token.

    Dosovitskiy et al. 2020, arXiv 2010.11929, at the size of small pictures: with 32x32 pixels, patches of 4 and 64
    numbers a token there are 64 + 1 tokens. In a head with queries Q, keys K and values V of d numbers the attention
    is softmax(Q K^T / sqrt(d)) V (Vaswani et al. 2017; T4, transformers).
    """

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        classes: int,
        patch: int = 4,
        size: int = 64,
        depth: int = 4,
        heads: int = 4,
        hidden: int = 128,
    ) -> None:
        super().__init__()
        for name, value in (("patch", patch), ("size", size), ("depth", depth), ("heads", heads), ("hidden", hidden)):
            if value < 1:
                raise UserError(f"{name} is at least 1, not {value}")
        if height % patch or width % patch:
            raise UserError(f"patches of {patch} pixels do not fill {width}x{height}: choose a divisor")
        if size % heads:
            raise UserError(f"size is shared by the heads: {size} cannot be divided by {heads}")
        self.patches = nn.Conv2d(channels, size, patch, patch)
        self.embedding = PositionEmbedding(height // patch * (width // patch), size)
        self.blocks = nn.Sequential(
            OrderedDict((str(number + 1), Block(size, heads, hidden)) for number in range(depth))
        )
        self.norm = nn.LayerNorm(size)
        self.fc = nn.Linear(size, classes)
        initialise(self)
        for module in self.modules():  # what each block adds starts small, so that depth does no harm
            if isinstance(module, Block):
                for name in ("attention.out_proj.weight", "mlp.fc2.weight"):
                    with torch.no_grad():
                        module.get_parameter(name).mul_((2 * depth) ** -0.5)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of pictures (N, channels, height, width)."""
        tokens = self.blocks(self.embedding(self.patches(pictures)))
        logits: torch.Tensor = self.fc(self.norm(tokens)[:, 0])
        return logits
