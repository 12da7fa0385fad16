"""The three attention views of bertviz (Vig 2019), made fit for a page that stays.

bertviz draws with scripts, in the browser. Its own output is meant for a live notebook; here it is mended:
weights are rounded to three places and written once (bertviz writes them a second time into a comment), the
ids follow from the content, lists to choose from have names, colours are those of a light page, and the view
stands in a frame with its description below it, which is all that is left where scripts do not run.
"""

from __future__ import annotations

import hashlib
import html
import importlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertlib.errors import InputError
from bertlib.extras import need, show_html
from bertlib.viz.style import GROUND, INK

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_VIEW = 300_000  # bytes of one view, scripts included
PLACES = 3  # decimals of every number
FEWEST_HEADS = 4  # the model view draws thumbnails for so many heads at least, or two heads would fill a page
UNFOLDED = 1080  # pixels that the neuron view takes when it is unfolded
REQUIRE = "https://cdnjs.cloudflare.com/ajax/libs/require.js/2.3.6/require.min.js"
NAMES = {
    "layer": "layer",
    "att_head": "head",
    "filter": "sentences",
}  # id of a list: its name for screen readers


def head_view(
    attentions: Sequence[Any], tokens: Sequence[str], *, alt: str, second: int | None = None, layer: int = 0
) -> None:
    """Display lines between words, a colour for each head, one layer at a time.

    Args:
        attentions: for each of L layers the weights of one text, (1, A, T, T) or (A, T, T).
        tokens: the T pieces.
        alt: what there is to see, in a sentence or two; it stands below the view.
        second: where the second sentence begins, or None.
        layer: which one is shown first.

    Raises:
        InputError: no words in ``alt``, weights that do not fit the pieces, or a view above 300 kB.
        MissingExtraError: bertviz or IPython is not installed.
    """
    page = need("bertviz", extra="viz").head_view(
        attention=rounded(attentions, tokens),
        tokens=list(tokens),
        sentence_b_start=second,
        layer=layer,
        prettify_tokens=False,
        html_action="return",
    )
    show_html(framed(page.data, alt=alt))


def model_view(
    attentions: Sequence[Any], tokens: Sequence[str], *, alt: str, second: int | None = None
) -> None:
    """Display all heads of all layers as thumbnails; a click enlarges one. See :func:`head_view`.

    Raises:
        InputError: as :func:`head_view`.
        MissingExtraError: as :func:`head_view`.
    """
    weights = rounded(attentions, tokens)
    page = need("bertviz", extra="viz").model_view(
        attention=weights,
        tokens=list(tokens),
        sentence_b_start=second,
        prettify_tokens=False,
        display_mode="light",
        html_action="return",
    )
    heads = max(weights[0].shape[1], FEWEST_HEADS)
    show_html(framed(re.sub(r'"total_heads": \d+', f'"total_heads": {heads}', page.data), alt=alt))


def neuron_view(
    attentions: Sequence[Any],
    queries: Sequence[Any],
    keys: Sequence[Any],
    tokens: Sequence[str],
    *,
    alt: str,
    layer: int = 0,
    head: int = 0,
) -> None:
    """Display how one weight comes about: query times key, entry by entry; a click on + unfolds it.

    It is the script of bertviz with our numbers in it: its own function takes a model, and only one of its
    own copies of BERT.

    Args:
        attentions: as for :func:`head_view`.
        queries: for each of L layers (1, A, T, d) or (A, T, d), see :func:`queries_and_keys`.
        keys: likewise.
        tokens: the T pieces.
        alt: what there is to see.
        layer: which one is shown first.
        head: likewise.

    Raises:
        InputError: as :func:`head_view`.
        MissingExtraError: as :func:`head_view`.
    """
    text = {"left_text": list(tokens), "right_text": list(tokens)}
    names = {"attn": attentions, "queries": queries, "keys": keys}
    values = {name: [x[0].tolist() for x in rounded(given, tokens)] for name, given in names.items()}
    params = {
        "attention": {"all": text | values},
        "default_filter": "all",
        "root_div_id": "bertviz-" + "0" * 32,  # framed() gives it its own
        "bidirectional": True,
        "display_mode": "light",
        "layer": layer,
        "head": head,
    }
    script = (Path(str(need("bertviz", extra="viz").__file__)).parent / "neuron_view.js").read_text("utf8")
    script = script.replace("window.bertviz_params", json.dumps(params))
    lists = "".join(
        f'{name}: <select id="{id_}"></select> ' for id_, name in (("layer", "Layer"), ("att_head", "Head"))
    )
    root = f"id='{params['root_div_id']}' style='min-width:{UNFOLDED}px'"  # narrower, the sums are cut off
    body = f"<div {root}><span>{lists}</span><div id='vis'></div></div>"
    show_html(framed(f'<script src="{REQUIRE}"></script>{body}<script>\n{script}\n</script>', alt=alt))


def queries_and_keys(body: Any, hidden_states: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Return what each head asks and offers: for each layer (B, A, T, d), twice.

    Args:
        body: a BertModel; the attention of each block has ``query``, ``key`` and ``num_heads``.
        hidden_states: L + 1 of (B, T, H), from ``output_hidden_states=True``.
    """

    def split(x: Tensor, heads: int) -> Tensor:
        return x.view(*x.shape[:2], heads, -1).transpose(1, 2)  # (B, T, H) -> (B, A, T, d)

    modules = [block.attention for block in body.encoder.blocks]
    pairs = [(m, hidden) for m, hidden in zip(modules, hidden_states, strict=False)]
    queries = [split(m.query(hidden), m.num_heads) for m, hidden in pairs]
    keys = [split(m.key(hidden), m.num_heads) for m, hidden in pairs]
    return queries, keys


def rounded(values: Sequence[Any], tokens: Sequence[str]) -> list[Tensor]:
    """Return (1, A, T, …) for each layer, in double precision: three places stay three places in print.

    Raises:
        InputError: another number of positions than pieces, or several texts.
    """
    torch = importlib.import_module("torch")
    layers = [torch.as_tensor(layer).detach().cpu().double().round(decimals=PLACES) for layer in values]
    layers = [layer[None] if layer.dim() == 3 else layer for layer in layers]
    for layer in layers:
        if layer.dim() != 4 or layer.shape[0] != 1 or layer.shape[2] != len(tokens):
            raise InputError(
                f"a layer of shape {tuple(layer.shape)} with {len(tokens)} pieces; expected (1, A, "
                f"{len(tokens)}, …): pick one text, [a[:1] for a in attentions]"
            )
    return layers


def framed(page: str, *, alt: str) -> str:
    """Return a view of bertviz in a frame with its words: data once, ids from the content, lists with names.

    Raises:
        InputError: no words, or more than 300 kB.
    """
    words = html.escape(" ".join(alt.split()))
    if not words:
        raise InputError("an attention view came without words; say in alt= what there is to see")
    page = mended(page)
    if len(page.encode()) > LARGEST_VIEW:
        raise InputError(
            f"the view weighs {len(page.encode()) / 1000:.0f} kB; expected at most {LARGEST_VIEW // 1000} "
            "kB: pass fewer layers (attentions[:2]) or a shorter text"
        )
    style = f"background:{GROUND};color:{INK};border-radius:8px;margin:0;padding:.6rem .8rem;overflow-x:auto"
    caption = f'<figcaption style="font-size:.9rem;color:{INK};text-align:left">{words}</figcaption>'
    return f'<figure class="attention-view" style="{style}" aria-label="{words}">{page}{caption}</figure>'


def mended(page: str) -> str:
    """Take out what is there twice or differs from run to run, and name what has no name."""
    page = re.sub(r"// HACK: [^\n]* is a template marker[^\n]*", "", page)
    page = re.sub(r"\n\s*console\.log\([^\n]*", "", page)
    page = page.replace(
        'd3.select("#vis")', "d3.select(`#${config.rootDivId} #vis`)"
    )  # or it finds another view's
    for id_, name in NAMES.items():  # an id may stand once on a page; there may be several views
        page = page.replace(f'<select id="{id_}"', f'<select class="bertviz-{id_}" aria-label="{name}"')
        page = re.sub(rf"#{id_}\b", f".bertviz-{id_}", page)
    page = re.sub(r"id='vis'", 'class="bertviz-vis"', page)
    page = re.sub(r"#vis\b", ".bertviz-vis", page)
    neutral = re.sub(r"bertviz-[0-9a-f]{32}", "bertviz-ID", page)
    mark = hashlib.sha256(neutral.encode()).hexdigest()[:32]
    return neutral.replace("bertviz-ID", f"bertviz-{mark}")
