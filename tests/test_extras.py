import pytest

from bertlib.errors import MissingExtraError
from bertlib.extras import need


def test_a_missing_library_is_named_with_the_command():
    with pytest.raises(
        MissingExtraError, match=r'no_such_library is not installed.*pip install "bertlib\[lab\]"'
    ):
        need("no_such_library.part", extra="lab")
