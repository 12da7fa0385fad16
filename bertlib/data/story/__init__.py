"""A little world that tells stories: text to pre-train on, of any size, without a download."""

from bertlib.data.story.stories import stories, story_documents, story_text, write_corpus

__all__ = ["stories", "story_documents", "story_text", "write_corpus"]
