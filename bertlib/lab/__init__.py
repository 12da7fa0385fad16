"""What the chapters use: checked exercises, quizzes, cards, parts to play with, library code, toy numbers."""

from bertlib.lab import toy
from bertlib.lab.checking import Report, check, examine, hint
from bertlib.lab.explore import explore
from bertlib.lab.mine import my_bert
from bertlib.lab.progress_picture import progress
from bertlib.lab.questions import cards, quiz
from bertlib.lab.results import results
from bertlib.lab.source import show

__all__ = [
    "Report",
    "cards",
    "check",
    "examine",
    "explore",
    "hint",
    "my_bert",
    "progress",
    "quiz",
    "results",
    "show",
    "toy",
]
