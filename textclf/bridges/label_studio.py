"""Tasks, predictions and annotations as Label Studio writes and reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from xml.etree import ElementTree as ET

from textclf.base.errors import BadDataError
from textclf.bridges.labelled import LabelledText, agreed
from textclf.model.category_names import NONE_OF_THESE
from textclf.model.prediction import Prediction

FROM_NAME, TO_NAME, TEXT = "category", "text", "text"
"""Names in the label configuration that `label_config` writes."""
MAX_CONFIG = 1_000_000
"""Characters of a label configuration."""
_NO_CHOICES = {TEXT, "id", "document_id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"}
"""Keys of JSON-MIN."""
_SOURCES = {"Text", "HyperText", "Paragraphs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The choice in a label configuration that predictions answer."""

    from_name: str
    to_name: str
    text: str
    """Key of the text among the data of a task."""
    choices: tuple[str, ...]
    """Those that may be chosen; empty if the tasks bring them."""


def label_config(categories: Iterable[str]) -> str:
    """Give a label configuration with a choice of each category, and of `NONE_OF_THESE`.

    Examples
    --------
    >>> print(label_config(["invoice"]))
    <View>
      <Text name="text" value="$text"/>
      <Choices name="category" toName="text" choice="single" showInline="true">
        <Choice value="invoice"/>
        <Choice value="none of these"/>
      </Choices>
    </View>
    """
    named = dict.fromkeys([*categories, NONE_OF_THESE])
    choices = "".join(f'    <Choice value="{escape(name)}"/>\n' for name in named)
    return (
        f'<View>\n  <Text name="{TO_NAME}" value="${TEXT}"/>\n'
        f'  <Choices name="{FROM_NAME}" toName="{TO_NAME}" choice="single" showInline="true">\n'
        f"{choices}  </Choices>\n</View>"
    )


def find_control(config: str) -> Control:
    """Find the choice about a text in a label configuration.

    Raises
    ------
    textclf.base.errors.BadDataError
        If the configuration is no XML, or has no choice about a text.
    """
    if len(config) > MAX_CONFIG or "<!" in re.sub(r"<!--.*?-->", "", config, flags=re.DOTALL):
        raise BadDataError("is too large, or declares entities", where="label configuration")
    try:
        root = ET.fromstring(config)  # noqa: S314 - without declarations nothing expands, and nothing is loaded
    except (ET.ParseError, ValueError) as error:
        raise BadDataError(f"is not XML ({error})", where="label configuration") from error
    sources = {
        node.get("name", ""): node.get("value", "").removeprefix("$") for node in root.iter() if node.tag in _SOURCES
    }
    for node in root.iter("Choices"):
        target = node.get("toName", "").partition(",")[0].strip()
        if sources.get(target):
            return Control(
                from_name=node.get("name", ""),
                to_name=target,
                text=sources[target],
                choices=tuple(one.get("alias") or one.get("value") or "" for one in node.iter("Choice")),
            )
    raise BadDataError(
        "has no Choices about a Text", where="label configuration", remedy="add one, such as textclf labelling writes"
    )


def model_version(name: str, sha256: str) -> str:
    """Name a model as predictions do: Label Studio asks for none of a task that has one of the same version.

    Examples
    --------
    >>> model_version("model", "bce69bc4161d5f")
    'model bce69bc4161d'
    """
    return f"{name} {sha256[:12]}"


def as_prediction(prediction: Prediction, control: Control, version: str) -> dict[str, Any]:
    """Give a prediction; without a result where nothing was predicted, or what cannot be chosen."""
    name = prediction.predicted_category
    chosen = bool(name) and (not control.choices or name in control.choices)
    result = {
        "from_name": control.from_name,
        "to_name": control.to_name,
        "type": "choices",
        "value": {"choices": [name]},
    }
    return {
        "model_version": version,
        "score": round(prediction.score, 6) if chosen else 0.0,
        "result": [result] if chosen else [],
    }


def as_task(document_id: str, text: str, prediction: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give a document as a task to import."""
    task: dict[str, Any] = {"data": {"document_id": document_id, TEXT: text}}
    return task | ({} if prediction is None else {"predictions": [prediction]})


def read_export(tasks: Sequence[Any], *, field: str = "") -> Iterator[LabelledText]:
    """Read an export, JSON or JSON-MIN: of each task its text, and the category that its annotators agree on.

    Parameters
    ----------
    tasks : sequence
        Decoded JSON.
    field : str
        Name of the choice; the first that a task has if not given.

    Raises
    ------
    textclf.base.errors.BadDataError
        If an entry is no task.
    """
    for number, task in enumerate(tasks, 1):
        if not isinstance(task, dict):
            raise BadDataError(f"entry {number} is no task", remedy="export it as JSON or JSON-MIN")
        given = task.get("data")
        data = given if isinstance(given, dict) else task
        yield LabelledText(
            document_id=str(data.get("document_id") or f"task-{task.get('id', number)}"),
            text=_text(data),
            category=agreed(_chosen(task, field)),
        )


def choice_fields(tasks: Iterable[Any]) -> list[str]:
    """List the names of what look like choices in an export, as a person may give one as `field`.

    Examples
    --------
    >>> choice_fields([{"id": 1, "text": "dear", "kind": "letter"}])
    ['kind']
    """
    found: dict[str, None] = {}
    for task in tasks:
        if "annotations" in task:
            results = [result for one in _dicts(task["annotations"]) for result in _dicts(one.get("result"))]
            found |= {str(one.get("from_name")): None for one in results if one.get("type") == "choices"}
        else:
            found |= {str(name): None for name, value in task.items() if name not in _NO_CHOICES and _names(value)}
    return list(found)


def count_unreadable(tasks: Iterable[Any]) -> int:
    """Count the annotations of an export that have another shape than Label Studio gives them."""
    return sum(not _is_readable(one) for task in tasks for one in _list(task.get("annotations")))


def _is_readable(annotation: object) -> bool:
    if not isinstance(annotation, dict) or not isinstance(annotation.get("result") or [], list):
        return False
    results = annotation.get("result") or []
    return all(
        isinstance(one, dict) and (one.get("type") != "choices" or bool(_names(one.get("value")))) for one in results
    )


def _list(value: object) -> list[Any]:
    """Give a list; what is none, and is there, as the one element of one."""
    return value if isinstance(value, list) else [value] if value else []


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]


def _text(data: Mapping[str, Any]) -> str:
    """Give the text of a task: in a project with names of its own, the longest that its data have."""
    if TEXT in data:
        return str(data[TEXT] or "")
    texts = (value for key, value in data.items() if isinstance(value, str) and key not in _NO_CHOICES)
    return max(texts, key=len, default="")


def _chosen(task: Mapping[str, Any], field: str) -> list[str]:
    """Give all that annotators chose; of a ground truth alone, if there is one."""
    if "annotations" not in task:
        return _names(task.get(field or FROM_NAME))
    annotations = [one for one in _dicts(task["annotations"]) if not one.get("was_cancelled")]
    true = [one for one in annotations if one.get("ground_truth")]
    chosen = []
    for annotation in true or annotations:
        for result in _dicts(annotation.get("result")):
            if result.get("type") == "choices" and field in ("", result.get("from_name")):
                chosen += _names(result.get("value"))
                break
    return chosen


def _names(value: object) -> list[str]:
    if isinstance(value, dict):
        value = value.get("choices")
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
