"""One body, many tasks: a small head on a pre-trained BERT (Devlin et al. 2019, section 3.2)."""

from bertlib.finetune.choice import ChoiceTask
from bertlib.finetune.classification import ClassificationTask, RegressionTask
from bertlib.finetune.folder import FineTunedModel, load_finetuned, save_finetuned
from bertlib.finetune.heads import (
    HeadOutput,
    JointIntentSlotHead,
    MultipleChoiceHead,
    QASpanHead,
    SequenceClassifier,
    TokenClassifier,
)
from bertlib.finetune.joint import IntentTask
from bertlib.finetune.predicting import evaluate, predict
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.recipe import FineTuning
from bertlib.finetune.tagging import TaggingTask
from bertlib.finetune.training import FineTuned, fine_tune

__all__ = [
    "ChoiceTask",
    "ClassificationTask",
    "FineTuned",
    "FineTunedModel",
    "FineTuning",
    "HeadOutput",
    "IntentTask",
    "JointIntentSlotHead",
    "MultipleChoiceHead",
    "QASpanHead",
    "QuestionTask",
    "RegressionTask",
    "SequenceClassifier",
    "TaggingTask",
    "TokenClassifier",
    "evaluate",
    "fine_tune",
    "load_finetuned",
    "predict",
    "save_finetuned",
]
