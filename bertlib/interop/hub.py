"""Models by name: fetch the files of one from the Hugging Face hub into its cache."""

from __future__ import annotations

import re
from pathlib import Path

from bertlib.errors import CheckpointError, MissingExtraError
from bertlib.interop.vocabulary import ADDED_FILE
from bertlib.interop.weights import PICKLED
from bertlib.model_folder import CONFIG, WEIGHTS
from bertlib.tokenizer.vocabulary import CONFIG_FILE, FAST_FILE, VOCAB_FILE

# Only what is read; many repositories hold the same weights again for three other libraries.
WANTED = [
    CONFIG, VOCAB_FILE, FAST_FILE, CONFIG_FILE, ADDED_FILE,
    WEIGHTS, f"{WEIGHTS}.index.json", "model-*.safetensors",
]  # fmt: skip
PICKLES = [PICKLED, f"{PICKLED}.index.json", "pytorch_model-*.bin"]


def is_hub_name(source: str) -> bool:
    """Tell ``bert-base-uncased`` and ``owner/name`` from a path."""
    return re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", source) is not None


def fetch(name: str) -> Path:
    """Return the folder of a model in the hub's cache, fetched first if need be.

    Pickled weights are asked for only where there are no others.

    Raises:
        MissingExtraError: ``huggingface_hub`` is not installed.
        CheckpointError: offline, or no such model.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingExtraError('huggingface_hub is not installed; pip install "bertlib[bench]"') from None
    try:
        folder = Path(snapshot_download(name, allow_patterns=WANTED))
        if not any((folder / file).exists() for file in (WEIGHTS, f"{WEIGHTS}.index.json")):
            folder = Path(snapshot_download(name, allow_patterns=WANTED + PICKLES))
    except Exception as error:  # the network library's own errors differ from version to version
        reason = str(error).strip().split("\n")[0][:160]
        raise CheckpointError(
            f"there is no folder {name} here, and the hub did not give a model of that name "
            f"({type(error).__name__}: {reason}); check the name and the network, or name a folder"
        ) from None
    return folder
