"""``explore_heads``: every head of a trained model on one text, with buttons for layer and head."""

from __future__ import annotations

from typing import Any

import torch

from bertlib.lab.explore import explore
from bertlib.model import BertForPreTraining, BertModel
from bertlib.tokenizer import WordPieceTokenizer


def explore_heads(
    model: BertForPreTraining | BertModel,
    tokenizer: WordPieceTokenizer,
    first: str,
    second: str | None = None,
    *,
    name: str = "heads",
    widgets: bool = False,
) -> None:
    """Display the attention maps of all layers and heads, one at a time: a row looks at its columns.

    Layers and heads are counted from 0, as in ``attentions[layer][text, head]``.

    Args:
        model: in evaluation mode, small: a page takes at most 24 maps (a Mini has 16).
        tokenizer: the vocabulary it was trained with.
        first: a text, short enough that its pieces can be read in a map (up to 16 or so).
        second: its second half, or None.
        name: of this part of the page; give another one to each.
        widgets: sliders of a live kernel instead of buttons; any number of maps.

    Raises:
        InputError: more than 24 maps or 300 kB, or a text longer than the position table.

    Example:
        >>> model, tokenizer = bertlib.load_pretrained("mini-books")  # doctest: +SKIP
        >>> explore_heads(model, tokenizer, "my dog is cute", "it likes playing")  # doctest: +SKIP
    """
    tokens, maps = look(model, tokenizer, first, second)

    def draw(layer: int, head: int) -> Any:
        from bertlib import viz

        size = 1.6 + 0.21 * len(tokens)  # inches
        drawing, ax = viz.figure(size + 0.2, size)
        viz.draw_attention(ax, maps[layer][head], tokens)
        return drawing

    def describe(layer: int, head: int) -> str:
        return f"Attention of layer {layer}, head {head}. {strongest(maps[layer][head], tokens)}"

    layers, heads = range(len(maps)), range(len(maps[0]))
    explore(draw, {"layer": layers, "head": heads}, alt=describe, name=name, widgets=widgets)


@torch.no_grad()
def look(
    model: BertForPreTraining | BertModel,
    tokenizer: WordPieceTokenizer,
    first: str,
    second: str | None = None,
) -> tuple[list[str], list[torch.Tensor]]:
    """Return the T pieces of a text, and for each of L layers its weights (A, T, T)."""
    packed = tokenizer.encode(first) if second is None else tokenizer.encode_pair(first, second)
    body = model.bert if isinstance(model, BertForPreTraining) else model
    device = next(body.parameters()).device
    ids, segments = (torch.tensor([row], device=device) for row in (packed.ids, packed.token_type_ids))
    output = body(ids, token_type_ids=segments, output_attentions=True)
    return packed.tokens, [weights[0].float().cpu() for weights in output.attentions]


def strongest(weights: torch.Tensor, tokens: list[str], *, count: int = 3) -> str:
    """Say in words where most of a map (T, T) goes: the heaviest pairs, and the column with most weight."""
    best = weights.flatten().topk(min(count, weights.numel())).indices.tolist()
    pairs = (divmod(place, len(tokens)) for place in best)
    said = "; ".join(f"{tokens[i]} looks at {tokens[j]} with {weights[i, j]:.2f}" for i, j in pairs)
    most = int(weights.mean(0).argmax())
    return f"The largest weights: {said}. On average most weight lies on {tokens[most]}, column {most}."
