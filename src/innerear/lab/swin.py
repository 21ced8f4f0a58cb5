"""CLAP's audio tower as a processor runs it faster: the same sums in fewer steps; used by `export` alone.

transformers works out the masks of shifted windows, the position biases and the sizes of its windows
at every call; traced as it is, that is most of its nodes. Here what does not depend on the sound is
computed once. The products of queries, keys and values stay three: one of three times the width
measured slower, and was no faster than what is traced.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


class Block(torch.nn.Module):
    """One block of a Swin transformer (Liu et al., arXiv 2103.14030) on a map of height by width tokens.

    Takes the place of transformers' ClapAudioLayer: (batch, height * width, channels) in and out. Windows
    and their shift are one order of the tokens; the position bias holds the mask of shifted windows.
    """

    def __init__(self, layer: Any, height: int, width: int) -> None:
        super().__init__()
        layer.set_shift_and_window_size((height, width))
        side, shift = int(layer.window_size), int(layer.shift_size)
        if height % side or width % side:
            raise ValueError(f"a map of {height} by {width} is no whole number of windows of {side} by {side}")
        self.layer, self.attention, self.tokens = layer, layer.attention.self, side * side
        places = torch.arange(height * width).view(height, width).roll((-shift, -shift), (0, 1))
        self.order = places.view(height // side, side, width // side, side).transpose(1, 2).flatten()
        self.back = self.order.argsort()

        bias = self.attention.relative_position_bias_table[self.attention.relative_position_index.view(-1)]
        bias = bias.view(self.tokens, self.tokens, -1).permute(2, 0, 1)[None]
        mask = layer.get_attn_mask(height, width, bias.dtype, bias.device)
        self.bias = bias if mask is None else bias + mask[:, None]  # (1 or windows, heads, tokens, tokens)

    def forward(self, heard: Any, *_: Any) -> tuple[Any]:
        """What transformers' layer gives without attentions: the map, (batch, height * width, channels), alone."""
        _, count, channels = heard.shape
        layer, attention = self.layer, self.attention
        windows, heads = self.bias.shape[:2]
        heard = heard[:, self.order]
        level = layer.layernorm_before(heard)
        query, key, value = (
            part(level).view(-1, self.tokens, heads, channels // heads).transpose(1, 2)
            for part in (attention.query, attention.key, attention.value)
        )
        scores = query @ key.transpose(-1, -2) * (channels // heads) ** -0.5
        scores = scores.view(-1, windows, heads, self.tokens, self.tokens) + self.bias
        weights = scores.view(-1, heads, self.tokens, self.tokens).softmax(-1)
        found = (weights @ value).transpose(1, 2).reshape(-1, count, channels)
        heard = heard + layer.attention.output.dense(found)
        heard = heard + layer.output.dense(layer.intermediate(layer.layernorm_after(heard)))
        return (heard[:, self.back],)


def simplify(encoder: Any, frames: int) -> None:
    """Put such blocks into transformers' ClapAudioEncoder, and fix the number of frames that it hears.

    The cubic interpolation that stretches a spectrogram to the map's length is a matrix product.
    """
    length = encoder.spec_size * encoder.freq_ratio
    stretch = functional.interpolate(
        torch.eye(frames)[None, None], (length, frames), mode="bicubic", align_corners=True
    )
    fold = encoder.reshape_mel2img
    encoder.reshape_mel2img = lambda heard: fold(stretch @ heard)
    for stage, (height, width) in zip(encoder.layers, encoder.input_resolutions, strict=True):
        for place, layer in enumerate(stage.blocks):
            stage.blocks[place] = Block(layer, height, width)
