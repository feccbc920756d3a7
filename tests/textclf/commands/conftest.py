from __future__ import annotations

import pytest


@pytest.fixture
def documents(tmp_path, table, corpus):
    return table(tmp_path / "documents.csv", corpus(5).rows())
