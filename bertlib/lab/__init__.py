"""What the chapters use: checked exercises, quizzes, cards, library code shown in place, toy numbers."""

from bertlib.lab import toy
from bertlib.lab.checking import Report, check, examine, hint
from bertlib.lab.progress_picture import progress
from bertlib.lab.questions import cards, quiz
from bertlib.lab.results import results
from bertlib.lab.source import show

__all__ = ["Report", "cards", "check", "examine", "hint", "progress", "quiz", "results", "show", "toy"]
