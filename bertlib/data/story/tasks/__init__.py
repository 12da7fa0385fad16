"""Labelled tasks from the facts of the stories: train, dev and test, of any size, without a download."""

from bertlib.data.story.tasks.tasks import STORY_TASKS, story_task

__all__ = ["STORY_TASKS", "story_task"]
