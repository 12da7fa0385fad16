"""Figures: small functions from arrays and an axis to the axis. Nothing is trained here."""

from bertlib.errors import MissingExtraError

try:
    import matplotlib  # noqa: F401
except ImportError as error:
    raise MissingExtraError(
        'matplotlib is not installed; figures need it: pip install "bertlib[viz]" brings it'
    ) from error

from bertlib.viz.attention import draw_attention, draw_heads
from bertlib.viz.embeddings import draw_input_embeddings, draw_one_hots, draw_position_similarity
from bertlib.viz.figure import as_html, figure, show
from bertlib.viz.gallery import draw_gallery
from bertlib.viz.loss import draw_loss, draw_training, read_log
from bertlib.viz.style import COLOURS

__all__ = [
    "COLOURS",
    "as_html",
    "draw_attention",
    "draw_gallery",
    "draw_heads",
    "draw_input_embeddings",
    "draw_loss",
    "draw_one_hots",
    "draw_position_similarity",
    "draw_training",
    "figure",
    "read_log",
    "show",
]
