"""One body, many tasks: a small head on a pre-trained BERT (Devlin et al. 2019, section 3.2)."""

from bertlib.finetune.heads import (
    HeadOutput,
    JointIntentSlotHead,
    MultipleChoiceHead,
    QASpanHead,
    SequenceClassifier,
    TokenClassifier,
)

__all__ = [
    "HeadOutput",
    "JointIntentSlotHead",
    "MultipleChoiceHead",
    "QASpanHead",
    "SequenceClassifier",
    "TokenClassifier",
]
