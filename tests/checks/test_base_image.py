"""The image is built on one that is named by its digest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from checks.base_image import movable
from checks.manifests import ROOT
from kindnode.operator_image import official_base

if TYPE_CHECKING:
    from pathlib import Path

OURS = ROOT / "Dockerfile"


def test_ours_is_pinned() -> None:
    """What the Dockerfile starts from cannot change, and both of its stages start from it."""
    assert movable(OURS) == []
    assert set(re.findall(r"^FROM (\S+)", OURS.read_text(), re.MULTILINE)) == {"${BASE_IMAGE}"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ARG BASE_IMAGE=python:3.11-slim", "python:3.11-slim may be another image tomorrow"),
        ("ARG BASE_IMAGE=python:3.11-slim@sha256:4503", "may be another image tomorrow"),
        ("ARG BASE_IMAGE", "BASE_IMAGE has no default"),
    ],
)
def test_a_mere_tag_is_found(tmp_path: Path, line: str, told: str) -> None:
    """A tag alone, half a digest, and nothing at all are told."""
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"{line}\nFROM ${{BASE_IMAGE}}\n")
    (sentence,) = movable(dockerfile)
    assert told in sentence


def test_make_image_asks_for_the_same_one() -> None:
    """What is pulled before the build, to know whether a stand-in is needed, is the Dockerfile's own default."""
    assert f"docker.io/library/{re.findall(r'BASE_IMAGE=(.*)', OURS.read_text())[0]}" == official_base()
