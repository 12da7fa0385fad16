"""The model, from the input embeddings to the two pre-training heads."""

from bertlib.model.attention import MultiHeadSelfAttention, attention_weights, padding_bias
from bertlib.model.bert import BertForPreTraining, BertModel, BertOutput, PreTrainingOutput
from bertlib.model.embeddings import BertEmbedding
from bertlib.model.encoder import BertEncoder, FeedForward, TransformerBlock

__all__ = [
    "BertEmbedding",
    "BertEncoder",
    "BertForPreTraining",
    "BertModel",
    "BertOutput",
    "FeedForward",
    "MultiHeadSelfAttention",
    "PreTrainingOutput",
    "TransformerBlock",
    "attention_weights",
    "padding_bias",
]
