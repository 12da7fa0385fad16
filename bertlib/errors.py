"""Errors for bad input: each message says what was given, what was expected and what to do.

All of them are ``ValueError`` (missing extras are ``ImportError``), so callers who do not care
about the difference can catch one class; the command line turns them into one line and exit code 2.
"""


class BertlibError(ValueError):
    """Base of every error that bertlib raises for bad input."""


class ConfigError(BertlibError):
    """A configuration that describes no BERT, or an unknown preset."""


class CorpusError(BertlibError):
    """Text that cannot be used: nothing there, a wrong encoding, too few documents."""


class VocabularyError(BertlibError):
    """A vocabulary that cannot be trained or used."""


class InputError(BertlibError):
    """A model input of the wrong shape, length or range."""


class CheckpointError(BertlibError):
    """A checkpoint that is truncated, altered or of another configuration."""


class TrainingError(BertlibError):
    """Training that cannot go on: a loss that is no number, too little memory, a process that is gone."""


class MissingExtraError(ImportError):
    """An optional part of bertlib whose libraries are not installed."""
