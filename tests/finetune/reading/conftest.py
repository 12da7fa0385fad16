"""Small files, and the public data sets where they lie beside the checkout."""

import gzip
import lzma
import os
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path):
    """Write a file below the test's folder, packed as its name says, and return its path."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes({".xz": lzma.compress, ".gz": gzip.compress}.get(path.suffix, bytes)(data))
        return path

    return write


@pytest.fixture
def shared_data():
    data = Path(os.environ.get("BERTLIB_DATA", Path(__file__).parents[4] / "shared" / "data"))
    if not data.is_dir():
        pytest.skip("no public corpora beside the checkout")
    return data
