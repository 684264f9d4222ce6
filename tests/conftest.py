"""What every test leaves as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """The configuration of structlog is global: what one test silences, another listens to."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
