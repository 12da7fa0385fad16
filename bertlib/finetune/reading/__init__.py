"""Readers of the formats in which the data of fine-tuning is published: a path in, a list of examples out."""

from bertlib.finetune.reading.choices import (
    read_codah,
    read_comve,
    read_comve_split,
    read_copa,
    read_swag,
)
from bertlib.finetune.reading.columns import read_columns, to_bio
from bertlib.finetune.reading.folders import holds_classes, read_folders, read_reviews, read_texts
from bertlib.finetune.reading.glue import GLUE, GlueTask, read_glue
from bertlib.finetune.reading.intents import read_intents
from bertlib.finetune.reading.opening import find_split, open_text
from bertlib.finetune.reading.predictions import check_out, read_predictions, write_predictions
from bertlib.finetune.reading.squad import read_squad
from bertlib.finetune.reading.tables import read_table

__all__ = [
    "GLUE",
    "GlueTask",
    "check_out",
    "find_split",
    "holds_classes",
    "open_text",
    "read_codah",
    "read_columns",
    "read_comve",
    "read_comve_split",
    "read_copa",
    "read_folders",
    "read_glue",
    "read_intents",
    "read_predictions",
    "read_reviews",
    "read_squad",
    "read_swag",
    "read_table",
    "read_texts",
    "to_bio",
    "write_predictions",
]
