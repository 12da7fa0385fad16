"""Progress bars that suit a terminal, and a log file too."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(**options: Any) -> tqdm:
    """Return a tqdm bar; where nobody watches (a log file) it writes a line every half minute only."""
    watched = sys.stderr.isatty()
    return tqdm(dynamic_ncols=watched, mininterval=0.2 if watched else 30.0, **options)
