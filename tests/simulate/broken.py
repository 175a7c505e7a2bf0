"""The operator, deliberately broken in one way: only to show that the simulation sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

VARIANTS: dict[str, Callable[[], None]] = {}
