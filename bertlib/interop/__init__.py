"""To and from the ``transformers`` library, through one table of weight names used both ways."""

from bertlib.interop.names import weight_names
from bertlib.interop.reading import Found, from_transformers, read_transformers
from bertlib.interop.writing import to_transformers

__all__ = ["Found", "from_transformers", "read_transformers", "to_transformers", "weight_names"]
