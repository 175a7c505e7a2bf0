"""What judges all that the operator has done in a run comes when it has done it: after every other test."""

import pytest

LAST = "test_rbac_exact.py"


@pytest.hookimpl(specname="pytest_collection_modifyitems", trylast=True)
def pytest_put_last(items: list[pytest.Item]) -> None:
    """Put the tests of that file last."""
    items.sort(key=lambda item: item.path.name == LAST)
