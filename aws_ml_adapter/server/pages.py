"""Web pages: the list of all objects, and for each one what AWS's console showed and its API does not."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from aws_ml_adapter.api.batch_output import manifest_location
from aws_ml_adapter.api.kinds import Kind, Status
from aws_ml_adapter.api.rearrangement import parse_rearrangement
from aws_ml_adapter.engine.performance import METRICS, BinaryScores, Confusion, Evaluation, Residuals
from aws_ml_adapter.engine.statistics import DataStatistics
from aws_ml_adapter.server.asgi import HttpAnswer
from aws_ml_adapter.server.entities import Entities, Entity
from aws_ml_adapter.server.insights import at_cutoff, equal_bins, may_share_rows, shown_matrix, ticks
from aws_ml_adapter.server.job_spec import EVALUATION, STATISTICS, folder_of
from aws_ml_adapter.server.signatures import is_signed, link_signature
from features.schema import Schema
from textclf.base.errors import BadDataError
from textclf.base.hashing import hash_text
from textclf.base.tables import csv_writer, safe_cell

if TYPE_CHECKING:
    from jinja2 import Environment

LISTED = 1_000
"""Maximum number of objects of a kind in the list, as in the console:
https://docs.aws.amazon.com/machine-learning/latest/dg/listing-objects.html."""

_OPEN_ATTRIBUTES = 12
_CHILDREN = "EXISTS (SELECT 1 FROM json_each(details, '$.parents') WHERE value = ?)"
_KEPT = "json_extract(record, '$.Status') <> 'DELETED' ORDER BY serial DESC"
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

_Kept = TypeVar("_Kept")


class Pages:
    """The pages of a server; if ``signed``, they open only by signed links, and contain such links."""

    def __init__(self, entities: Entities, *, data_dir: Path, secret: bytes, signed: bool) -> None:
        self._entities = entities
        self._data_dir = data_dir
        self._secret = secret
        self._signed = signed

    @property
    def path(self) -> str:
        """Path and query of the page that lists all objects."""
        return "/" + self._link("")

    @staticmethod
    def has(path: str) -> bool:
        """Return whether a path belongs to a page, which need not exist."""
        return not path.strip("/") or path.split("/")[1] in set(Kind)

    def answer(self, path: str, query: Mapping[str, str]) -> HttpAnswer:
        """Answer a request for ``/``, ``/<kind>`` or ``/Evaluation/confusion.csv``."""
        if self._signed and not is_signed(self._secret, "pages", query.get("signature", "")):
            return _text(403, "This page opens only by the link that the server printed when it started.\n")
        if path == "/":
            return self._html(
                "index.html",
                listed=LISTED,
                kinds={kind: self._entities.select(kind, _KEPT, (), LISTED) for kind in Kind},
            )
        name, _, file = path.removeprefix("/").partition("/")
        entity = self._entities.get(Kind(name), query.get("id", "")) if name in set(Kind) else None
        if entity is None:
            return _text(404, "There is no such page.\n")
        if file == "confusion.csv" and entity.kind is Kind.EVALUATION:
            return self._confusion(entity)
        if file:
            return _text(404, "There is no such page.\n")
        return self._html(f"{entity.kind}.html", **self._shown(entity))

    def _shown(self, entity: Entity) -> dict[str, Any]:
        """Return the variables of the template of an object's page."""
        parents = {parent.kind: parent for parent in self._entities.by_serial(entity.details["parents"])}
        children = {
            kind: self._entities.select(kind, f"{_CHILDREN} AND {_KEPT}", (entity.serial,), LISTED) for kind in Kind
        }
        begun = "StartedAt" in entity.record and entity.status is not Status.DELETED
        signed = link_signature(self._secret, str(entity.serial))
        shown = {
            "entity": entity,
            "record": entity.record,
            "parents": parents,
            "children": children,
            "tags": self._entities.tags(entity.serial),
            "unfinished": entity.status in (Status.PENDING, Status.INPROGRESS),
            "log": f"logs/{entity.serial}?signature={signed}" if begun else None,
        }
        match entity.kind:
            case Kind.DATA_SOURCE:
                shown |= self._of_data_source(entity)
            case Kind.EVALUATION:
                shown |= self._of_evaluation(entity, parents)
        return shown

    def _of_data_source(self, entity: Entity) -> dict[str, Any]:
        text = entity.record.get("DataSourceSchema")
        statistics = self._kept(entity, STATISTICS, DataStatistics.from_json)
        return {
            "schema": Schema.from_json(text) if text else None,
            "statistics": statistics,
            "open_attributes": statistics is not None and len(statistics.attributes) <= _OPEN_ATTRIBUTES,
        }

    def _of_evaluation(self, entity: Entity, parents: Mapping[Kind, Entity]) -> dict[str, Any]:
        evaluation = self._kept(entity, EVALUATION, Evaluation.from_json)
        if evaluation is None:
            return {"evaluation": None}
        shown: dict[str, Any] = {
            "evaluation": evaluation,
            "metric": METRICS[evaluation.type],
            "alerts": (*self._alerts(parents), *evaluation.alerts),
        }
        match evaluation.details:
            case BinaryScores() as histogram:
                model = parents.get(Kind.MODEL)
                threshold = model.record.get("ScoreThreshold", 0.5) if model else 0.5
                shown["threshold"] = threshold
                shown["cutoff"] = at_cutoff(histogram, threshold)
                shown["cutoffs"] = [at_cutoff(histogram, tenth / 10) for tenth in range(1, 10)]
            case Confusion() as confusion:
                shown["matrix"] = shown_matrix(confusion)
                shown["all_classes"] = shown_matrix(confusion, max_classes=len(confusion.classes))
            case Residuals():
                pass
        return shown

    def _alerts(self, parents: Mapping[Kind, Entity]) -> list[str]:
        """Warn if the model was evaluated on training rows, which the job itself cannot know.

        https://docs.aws.amazon.com/machine-learning/latest/dg/evaluation-alerts.html
        """
        model, evaluated = parents.get(Kind.MODEL), parents.get(Kind.DATA_SOURCE)
        trained = self._entities.by_serial(model.details["parents"]) if model else []
        if not trained or evaluated is None:
            return []
        specs = [source.record for source in (trained[0], evaluated)]
        if specs[0]["DataLocationS3"] != specs[1]["DataLocationS3"]:
            return []
        shares = [parse_rearrangement(spec.get("DataRearrangement")) for spec in specs]
        return ["evaluated on rows that the model was trained on"] if may_share_rows(*shares) else []

    def _kept(self, entity: Entity, name: str, read: Callable[[str], _Kept]) -> _Kept | None:
        """Read a result file of a job; None if there is none, for example because the object was just deleted."""
        try:
            return read((folder_of(self._data_dir, entity.serial) / name).read_text(encoding="utf-8"))
        except (OSError, BadDataError):
            return None

    def _confusion(self, entity: Entity) -> HttpAnswer:
        """Return the full confusion matrix as CSV, with formulas escaped for spreadsheets."""
        evaluation = self._kept(entity, EVALUATION, Evaluation.from_json)
        if evaluation is None or not isinstance(evaluation.details, Confusion):
            return _text(404, "There is no such page.\n")
        classes, counts = evaluation.details.classes, evaluation.details.counts
        text = StringIO()
        writer = csv_writer(text.write)
        writer.writerow(["true class", *map(safe_cell, classes)])
        for name, row in zip(classes, counts, strict=True):
            writer.writerow([safe_cell(name), *row])
        headers = {"content-disposition": f'attachment; filename="{entity.id}-confusion.csv"'}
        return _answer(200, "csv", text.getvalue(), headers)

    def _link(self, path: str, **query: str) -> str:
        if self._signed:
            query["signature"] = link_signature(self._secret, "pages")
        return path + (f"?{urlencode(query)}" if query else "")

    def _html(self, template: str, **shown: Any) -> HttpAnswer:
        return _answer(200, "html", self._environment.get_template(template).render(**shown), self._policy)

    @cached_property
    def _script(self) -> str:
        return resources.files("aws_ml_adapter").joinpath("templates", "cutoff.js").read_text(encoding="utf-8")

    @cached_property
    def _policy(self) -> dict[str, str]:
        # of all scripts, only that of the pages themselves may run
        digest = base64.b64encode(bytes.fromhex(hash_text(self._script))).decode()
        policy = (
            f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return {"content-security-policy": policy}

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=ChoiceLoader([PackageLoader("aws_ml_adapter"), PackageLoader("textclf")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {
            "percent": _percent,
            "counted": _counted,
            "figure": written,
            "time": _time,
        }
        environment.globals |= {
            "Kind": Kind,
            "script": self._script,
            "link": self._link,
            "equal_bins": equal_bins,
            "ticks": ticks,
            "manifest_location": manifest_location,
        }
        return environment


def _answer(status: int, kind: str, text: str, headers: Mapping[str, str]) -> HttpAnswer:
    fields = {"content-type": f"text/{kind}; charset=utf-8", **_HEADERS, **headers}
    return HttpAnswer(status=status, headers=fields, body=text.encode("utf-8", errors="replace"))


def _text(status: int, message: str) -> HttpAnswer:
    return _answer(status, "plain", message, {})


def _percent(share: float, digits: int = 1) -> str:
    if share in (0, 1):
        return f"{share:.0%}"
    # 9,999 of 10,000 must not be displayed as 100 %
    return f"{min(max(share, 0.001), 0.999):.{digits}%}"


def written(number: float, digits: int = 4) -> str:
    """Format a number with up to ``digits`` significant digits, with an exponent only if it is very small or large."""
    if not math.isfinite(number) or (number and not 1e-6 <= abs(number) < 1e15):
        return f"{number:.{digits}g}"
    decimals = max(digits - 1 - math.floor(math.log10(abs(number))), 0) if number else 0
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
