"""Training: the recipe, the step, the loop, and checkpoints that survive anything."""

from bertlib.train.baselines import CountingBaselines
from bertlib.train.checkpoint import newest_checkpoint
from bertlib.train.config import TrainingConfig
from bertlib.train.evaluate import Evaluation, evaluate
from bertlib.train.log import JsonLog, read_log
from bertlib.train.schedule import learning_rate
from bertlib.train.trainer import BertTrainer, Losses

__all__ = [
    "BertTrainer",
    "CountingBaselines",
    "Evaluation",
    "JsonLog",
    "Losses",
    "TrainingConfig",
    "evaluate",
    "learning_rate",
    "newest_checkpoint",
    "read_log",
]
