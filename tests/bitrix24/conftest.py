from __future__ import annotations

import pytest

from tests.bitrix24.portal import Portal


@pytest.fixture
def portal() -> Portal:
    return Portal()
