"""Figures: small functions from arrays and an axis to the axis. Nothing is trained here."""

from bertlib.errors import MissingExtraError

try:
    import matplotlib  # noqa: F401
except ImportError as error:
    raise MissingExtraError(
        'matplotlib is not installed; figures need it: pip install "bertlib[viz]" brings it'
    ) from error

from bertlib.viz.attention import draw_attention, draw_heads
from bertlib.viz.attention_steps import draw_arcs, draw_growth, draw_lines, draw_split, draw_visibility
from bertlib.viz.blocks import draw_bend, draw_block, draw_layers, draw_parameters
from bertlib.viz.embeddings import draw_input_embeddings, draw_one_hots, draw_position_similarity
from bertlib.viz.figure import as_html, figure, show
from bertlib.viz.gallery import draw_gallery
from bertlib.viz.inside import draw_head_scores, draw_probe_curves, draw_senses
from bertlib.viz.loss import draw_loss, draw_training, read_log
from bertlib.viz.masking import draw_gradient, draw_mask_mix, draw_reach, draw_saving, draw_surprise
from bertlib.viz.pairs import draw_cloud, draw_lessons, draw_overlaps, draw_pairs, draw_probes
from bertlib.viz.recipe import draw_cost, draw_pipeline, draw_rows
from bertlib.viz.style import COLOURS
from bertlib.viz.tokens import draw_matching, draw_merges
from bertlib.viz.views import head_view, model_view, neuron_view, queries_and_keys

__all__ = [
    "COLOURS",
    "as_html",
    "draw_arcs",
    "draw_attention",
    "draw_bend",
    "draw_block",
    "draw_cloud",
    "draw_cost",
    "draw_gallery",
    "draw_gradient",
    "draw_growth",
    "draw_head_scores",
    "draw_heads",
    "draw_input_embeddings",
    "draw_layers",
    "draw_lessons",
    "draw_lines",
    "draw_loss",
    "draw_mask_mix",
    "draw_matching",
    "draw_merges",
    "draw_one_hots",
    "draw_overlaps",
    "draw_pairs",
    "draw_parameters",
    "draw_pipeline",
    "draw_position_similarity",
    "draw_probe_curves",
    "draw_probes",
    "draw_reach",
    "draw_rows",
    "draw_saving",
    "draw_senses",
    "draw_split",
    "draw_surprise",
    "draw_training",
    "draw_visibility",
    "figure",
    "head_view",
    "model_view",
    "neuron_view",
    "queries_and_keys",
    "read_log",
    "show",
]
