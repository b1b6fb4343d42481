"""Small functions that several figures share, as helpers of migrated files."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper

in_top_k: Any = Helper(
    "in_top_k",
    '''def in_top_k(ids, scores, k):
    """Whether fewer than `k` classes score higher than the right one; ties are hits."""
    right = scores.gather(-1, ids[..., None])
    return ((scores > right).sum(dim=-1) < k) & scores.isfinite().all(dim=-1)
''',
)
