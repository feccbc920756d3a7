"""``textclf model info``."""

from __future__ import annotations

import json

from textclf.model.file import KIND


def test_model_info_for_people_and_programs(textclf, model_path):
    said = textclf("model", "info", model_path)
    assert (said.code, said.err) == (0, "")
    for words in (f"format {KIND.format}", "scikit-learn", "vector_size", "keywords", "invoice", "cross-validated"):
        assert words in said.out
    found = json.loads(textclf("model", "info", model_path, "--json").out)
    assert found["training"]["documents"] == {"invoice": 24, "letter": 24, "receipt": 24}
