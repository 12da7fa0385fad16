"""What BERT is trained to do: the total loss is the sum of MLM and NSP. And what others do instead."""

from bertlib.objectives.causal import CausalLMLoss, causal_mask, shift_labels
from bertlib.objectives.mlm import IGNORED, MaskedLMLoss
from bertlib.objectives.nsp import IS_NEXT, NOT_NEXT, NSPLoss

__all__ = [
    "IGNORED",
    "IS_NEXT",
    "NOT_NEXT",
    "CausalLMLoss",
    "MaskedLMLoss",
    "NSPLoss",
    "causal_mask",
    "shift_labels",
]
