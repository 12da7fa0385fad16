"""What BERT is trained to do. The total loss is the sum of the two."""

from bertlib.objectives.mlm import IGNORED, MaskedLMLoss
from bertlib.objectives.nsp import IS_NEXT, NOT_NEXT, NSPLoss

__all__ = ["IGNORED", "IS_NEXT", "NOT_NEXT", "MaskedLMLoss", "NSPLoss"]
