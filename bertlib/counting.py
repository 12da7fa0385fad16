"""How many parameters a BERT has, from its sizes alone.

With V word pieces, P positions, S segments, H hidden size, I = 4H and L blocks (the heads A do not matter:
they share the H columns among them)::

    body = (V + P + S) H + 2H + L (4 (H^2 + H) + (2HI + I + H) + 4H) + H^2 + H

The output layer of the masked language model is the word table once more, so it only adds its bias.
"""

from __future__ import annotations

from bertlib.config import BertConfig

HEADS = ("mlm_head", "nsp_head")  # what is not the body


def count_parameters(config: BertConfig, *, heads: bool = True) -> dict[str, int]:
    """Count the numbers a BERT learns, part by part; their sum is all of them.

    Args:
        config: sizes.
        heads: with the two pre-training heads; without them it is the body, for which Devlin et al. 2019
            (section 3) give 110M (Base) and 340M (Large).

    Example:
        >>> sum(count_parameters(BertConfig.from_preset("base"), heads=False).values())
        109482240
    """
    hidden, inner, blocks = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    norm, square = 2 * hidden, linear(hidden, hidden)
    parts = {
        "word_embeddings": config.vocab_size * hidden,
        "position_embeddings": config.max_position_embeddings * hidden,
        "token_type_embeddings": config.type_vocab_size * hidden,
        "embedding_norm": norm,
        "attention": blocks * 4 * square,  # query, key, value, output
        "feed_forward": blocks * (linear(hidden, inner) + linear(inner, hidden)),
        "block_norms": blocks * 2 * norm,
        "pooler": square,
        "mlm_head": square + norm + config.vocab_size,
        "nsp_head": linear(hidden, 2),
    }
    return {name: count for name, count in parts.items() if heads or name not in HEADS}


def linear(inputs: int, outputs: int) -> int:
    """Count the weights and biases of a linear layer."""
    return inputs * outputs + outputs
