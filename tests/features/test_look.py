from __future__ import annotations

import numpy as np
import pytest

from features.datasource import (
    DatasourceRow,
    datasource_schema,
    read_datasource,
    read_datasource_schema,
    write_datasource,
)
from features.look import LOOK_COLUMNS, look_values
from features.schema import AttributeType
from textclf.base.look_format import SIZE, encode_look

LOOK = encode_look(np.linspace(0, 1, SIZE))


def test_a_look_gives_a_number_for_each_column():
    values = look_values(LOOK)
    assert len(values) == len(LOOK_COLUMNS) == len(set(LOOK_COLUMNS))
    assert all(0 <= value <= 1 for value in values)
    # the ink of the first cells of the grid, and the last shade
    assert values[0] < values[47] < 0.2
    assert values[-1] == 1


@pytest.mark.parametrize("look", ["", "1:", "1:AAAA", "9:x"])
def test_what_is_no_look_gives_zeros(look):
    assert look_values(look) == (0.0,) * len(LOOK_COLUMNS)


@pytest.mark.parametrize("grouped", [False, True])
def test_a_datasource_keeps_looks_which_learners_see_as_numbers(tmp_path, grouped):
    path = tmp_path / "datasource.csv"
    group = "acme" if grouped else ""
    rows = [
        DatasourceRow(document_id="a", text="Total", category="invoice", vector=(0.5,), look=LOOK, group=group),
        DatasourceRow(document_id="b", text="Dear", category="letter", vector=(0.25,), group=group),
    ]
    write_datasource(path, rows, indicator_names=[], vector_size=1, seed=0, grouped=grouped, looks=True)
    assert sorted(read_datasource(path), key=lambda row: row.document_id) == rows
    schema = read_datasource_schema(path)
    kinds = dict(schema.attributes)
    assert [kinds[name] for name in LOOK_COLUMNS] == [AttributeType.NUMERIC] * len(LOOK_COLUMNS)
    assert "page_look" in schema.excluded


def test_without_looks_a_datasource_is_as_before():
    assert not {"page_look", *LOOK_COLUMNS} & set(datasource_schema(["a"], 3, grouped=True).names)
