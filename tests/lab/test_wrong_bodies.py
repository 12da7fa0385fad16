"""Wrong bodies of BERT as readers write them: the exercise *bert-model* rejects each."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bertlib.lab import examine
from bertlib.model import BertEmbedding, BertModel, TransformerBlock, padding_bias
from bertlib.model.bert import Pooler, initialise


class PreNormBlock(TransformerBlock):
    def forward(self, hidden, bias=None, *, need_weights=False):
        mixed, weights = self.attention(self.attention_norm(hidden), bias, need_weights=need_weights)
        hidden = hidden + self.dropout(mixed)
        return hidden + self.dropout(self.feed_forward(self.feed_forward_norm(hidden))), weights


class Body(nn.Module):
    def __init__(self, config, *, embedding=BertEmbedding, block=TransformerBlock):
        super().__init__()
        self.embedding = embedding(config)
        self.blocks = nn.ModuleList(block(config) for _ in range(config.num_hidden_layers))
        self.pooler = Pooler(config)
        initialise(self, config)

    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden = self.embedding(input_ids, token_type_ids)
        bias = padding_bias(attention_mask, hidden.dtype)
        for block in self.blocks:
            hidden, _ = block(hidden, bias)
        return hidden, self.pooler(hidden)


class ElevenBlocks(Body):
    def __init__(self, config, *, embedding=BertEmbedding, block=TransformerBlock):
        super().__init__(config, embedding=embedding, block=block)
        self.blocks = self.blocks[:-1]


class PlainList(Body):
    def __init__(self, config, *, embedding=BertEmbedding, block=TransformerBlock):
        super().__init__(config, embedding=embedding, block=block)
        blocks = [block(config).eval() for _ in range(config.num_hidden_layers)]
        del self.blocks
        self.blocks = blocks


class SharedBlock(Body):
    def __init__(self, config, *, embedding=BertEmbedding, block=TransformerBlock):
        super().__init__(config, embedding=embedding, block=block)
        self.blocks = nn.ModuleList([block(config)] * config.num_hidden_layers)


class NormalStart(Body):
    def __init__(self, config, *, embedding=BertEmbedding, block=TransformerBlock):
        super().__init__(config, embedding=embedding, block=block)
        nn.init.normal_(self.embedding.word_embeddings.weight)


class MaskForgotten(Body):
    def forward(self, input_ids, attention_mask, token_type_ids):
        return super().forward(input_ids, torch.ones_like(attention_mask), token_type_ids)


class MaskAfterwards(Body):
    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden, pooled = super().forward(input_ids, torch.ones_like(attention_mask), token_type_ids)
        return hidden * attention_mask[..., None], pooled


class FirstBlockOnlyMasked(Body):
    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden = self.embedding(input_ids, token_type_ids)
        bias = padding_bias(attention_mask, hidden.dtype)
        for block in self.blocks:
            hidden, _ = block(hidden, bias)
            bias = None
        return hidden, self.pooler(hidden)


class NormAtTheTop(Body):
    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden, _ = super().forward(input_ids, attention_mask, token_type_ids)
        hidden = F.layer_norm(hidden, hidden.shape[-1:])
        return hidden, self.pooler(hidden)


class CutsInSilence(Body):
    def forward(self, input_ids, attention_mask, token_type_ids):
        end = self.embedding.position_embeddings.num_embeddings
        return super().forward(input_ids[:, :end], attention_mask[:, :end], token_type_ids[:, :end])


class PreNormBody(Body):
    def __init__(self, config, *, embedding=BertEmbedding, block=PreNormBlock):
        super().__init__(config, embedding=embedding, block=block)


class HardCodedBase(nn.Module):
    def __init__(self, config, *, embedding=BertEmbedding, block=TransformerBlock):
        super().__init__()
        self.body = BertModel(config)
        self.dense = nn.Linear(768, 768)

    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden = self.body(input_ids, attention_mask, token_type_ids)[0]
        return hidden, self.dense(hidden[:, 0]).tanh()


WRONG = [
    ElevenBlocks,
    PlainList,
    SharedBlock,
    NormalStart,
    MaskForgotten,
    MaskAfterwards,
    FirstBlockOnlyMasked,
    NormAtTheTop,
    CutsInSilence,
    PreNormBody,
    HardCodedBase,
]


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.__name__ for wrong in WRONG])
def test_it_is_rejected(wrong):
    report = examine("bert-model", wrong)
    assert report.status in ("wrong", "error"), report.text
    assert "tried" in report.text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (ElevenBlocks, "twelve in Base, not eleven"),
        (PlainList, "nn.ModuleList"),
        (NormalStart, "first weights are small"),
        (MaskForgotten, "filling is looked at"),
        (CutsInSilence, "a long text is cut in silence"),
        (HardCodedBase, "768"),
    ],
)
def test_it_is_explained(wrong, words):
    assert words in " ".join(examine("bert-model", wrong).text.split())


def test_the_right_one_passes():
    assert examine("bert-model", Body).status == "right"
