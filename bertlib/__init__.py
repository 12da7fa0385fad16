"""bertlib: BERT in the open, small enough to read and fast enough to pre-train.

Names are imported when they are first used: ``import bertlib`` costs nothing, and a process that only
prepares text never loads PyTorch.

>>> import bertlib
>>> model, tokenizer = bertlib.load_pretrained("runs/story-tiny/model")  # doctest: +SKIP
>>> bertlib.fill_mask(model, tokenizer, "The [MASK] sang.")  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bertlib.cloze import fill_mask as fill_mask
    from bertlib.config import BertConfig as BertConfig
    from bertlib.counting import count_parameters as count_parameters
    from bertlib.data.batches import BatchConfig as BatchConfig
    from bertlib.data.batches import PreTrainingBatches as PreTrainingBatches
    from bertlib.data.masking import mask_tokens as mask_tokens
    from bertlib.data.pairs import make_nsp_pairs as make_nsp_pairs
    from bertlib.data.pairs import make_sop_pairs as make_sop_pairs
    from bertlib.data.prepare import prepare_corpus as prepare_corpus
    from bertlib.data.spans import mask_spans as mask_spans
    from bertlib.data.whole_words import mask_words as mask_words
    from bertlib.finetune import JointIntentSlotHead as JointIntentSlotHead
    from bertlib.finetune import MultipleChoiceHead as MultipleChoiceHead
    from bertlib.finetune import QASpanHead as QASpanHead
    from bertlib.finetune import SequenceClassifier as SequenceClassifier
    from bertlib.finetune import TokenClassifier as TokenClassifier
    from bertlib.finetune import fine_tune as fine_tune
    from bertlib.finetune import load_finetuned as load_finetuned
    from bertlib.interop import from_transformers as from_transformers
    from bertlib.interop import to_transformers as to_transformers
    from bertlib.model import BertEmbedding as BertEmbedding
    from bertlib.model import BertEncoder as BertEncoder
    from bertlib.model import BertForPreTraining as BertForPreTraining
    from bertlib.model import BertModel as BertModel
    from bertlib.model import MultiHeadSelfAttention as MultiHeadSelfAttention
    from bertlib.model import TransformerBlock as TransformerBlock
    from bertlib.objectives import CausalLMLoss as CausalLMLoss
    from bertlib.objectives import MaskedLMLoss as MaskedLMLoss
    from bertlib.objectives import NSPLoss as NSPLoss
    from bertlib.objectives import causal_mask as causal_mask
    from bertlib.search import BM25 as BM25
    from bertlib.search import CrossEncoder as CrossEncoder
    from bertlib.search import Searcher as Searcher
    from bertlib.search import read_passages as read_passages
    from bertlib.store import load_pretrained as load_pretrained
    from bertlib.store import save_pretrained as save_pretrained
    from bertlib.tokenizer import WordPieceTokenizer as WordPieceTokenizer
    from bertlib.train import BertTrainer as BertTrainer
    from bertlib.train import TrainingConfig as TrainingConfig
    from bertlib.variants.sentence import SentenceEncoder as SentenceEncoder

__version__ = "0.1.0"

_HOMES = {
    "bertlib.cloze": ("fill_mask",),
    "bertlib.config": ("BertConfig",),
    "bertlib.counting": ("count_parameters",),
    "bertlib.data.batches": ("BatchConfig", "PreTrainingBatches"),
    "bertlib.data.masking": ("mask_tokens",),
    "bertlib.data.pairs": ("make_nsp_pairs", "make_sop_pairs"),
    "bertlib.data.prepare": ("prepare_corpus",),
    "bertlib.data.spans": ("mask_spans",),
    "bertlib.data.whole_words": ("mask_words",),
    "bertlib.finetune": (
        "JointIntentSlotHead", "MultipleChoiceHead", "QASpanHead", "SequenceClassifier", "TokenClassifier",
        "fine_tune", "load_finetuned",
    ),
    "bertlib.interop": ("from_transformers", "to_transformers"),
    "bertlib.model": (
        "BertEmbedding", "BertEncoder", "BertForPreTraining", "BertModel", "MultiHeadSelfAttention",
        "TransformerBlock",
    ),
    "bertlib.objectives": ("CausalLMLoss", "MaskedLMLoss", "NSPLoss", "causal_mask"),
    "bertlib.search": ("BM25", "CrossEncoder", "Searcher", "read_passages"),
    "bertlib.store": ("load_pretrained", "save_pretrained"),
    "bertlib.tokenizer": ("WordPieceTokenizer",),
    "bertlib.train": ("BertTrainer", "TrainingConfig"),
    "bertlib.variants.sentence": ("SentenceEncoder",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'bertlib' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
