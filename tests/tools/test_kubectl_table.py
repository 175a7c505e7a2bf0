"""Every row of the README's table for kubectl is run by a test."""

from __future__ import annotations

import pytest

from e2e import test_kubectl_table as on_a_control_plane
from e2e.kubectl_table import table
from installed import test_kubectl_table as with_containers


@pytest.mark.parametrize("verb", table())
def test_each_row_has_a_test(verb: str) -> None:
    """It has the verb's name, in one of the two files."""
    name = "test_" + verb.replace(" ", "_").replace("-", "_")
    assert hasattr(on_a_control_plane, name) != hasattr(with_containers, name)
