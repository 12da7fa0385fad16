"""The learning rate: up in a straight line, then down in a straight line."""

from __future__ import annotations


def learning_rate(step: int, *, peak: float, warmup_steps: int, total_steps: int) -> float:
    """Return the rate of ``step``, counted from 0 (Devlin et al. 2019, appendix A.2).

    It rises over ``warmup_steps`` and falls to 0 at ``total_steps``. A pure function of the step: there
    is no scheduler to save.

    Example:
        >>> [learning_rate(s, peak=1.0, warmup_steps=2, total_steps=4) for s in range(4)]
        [0.5, 1.0, 1.0, 0.5]
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    return peak * max(total_steps - step, 0) / max(total_steps - warmup_steps, 1)
