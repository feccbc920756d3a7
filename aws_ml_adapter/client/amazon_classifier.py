"""The document classifier that trains and predicts in Amazon Machine Learning, or in a compatible server."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aws_ml_adapter.client.answers import AmazonEvaluation, ResultRow, choose_accepted, to_prediction
from aws_ml_adapter.client.client_options import DEFAULT_PLACE, TIMEOUT, Place, TrainingOptions
from aws_ml_adapter.client.datasources import SentData, datasource_file, sent_data
from aws_ml_adapter.client.state import ClientState, StateFile
from aws_ml_adapter.client.training_plan import (
    Plan,
    data_source_request,
    evaluation_request,
    new_state,
    prediction_request,
    training_requests,
)
from aws_ml_adapter.client.workspace import Workspace
from features.datasource import read_datasource, read_datasource_schema
from features.schema import Schema
from textclf.base.errors import BadDataError, TextclfError, UsageError
from textclf.data.sources import TableOptions
from textclf.model.prediction import UNUSABLE_ROW, Prediction, failed_prediction
from textclf.model.settings import DEFAULTS, TrainingSettings

_log = logging.getLogger(__name__)


class AmazonMLClassifier:
    """A document classifier in Amazon ML, with the methods of the local one.

    Everything it creates is recorded in the state file before it is created. After an interruption, the same call
    continues where it stopped; `delete` removes exactly what is recorded.

    Parameters
    ----------
    bucket : str
        S3 bucket, which must exist (with ``s3_root`` it is created). Its policy must let Amazon ML read and write
        there: https://docs.aws.amazon.com/machine-learning/latest/dg/granting-amazon-ml-permissions-to-output-predictions-to-amazon-s3.html.
    prefix : str
        Prefix of the keys of all files.
    region : str
        AWS region; the service is available in us-east-1 and eu-west-1.
    state_file : str or pathlib.Path
        Records what was created; it corresponds to the model file of the local classifier.
    endpoint_url : str, optional
        URL of the service; without it boto3 chooses it, by ``AWS_ENDPOINT_URL_MACHINE_LEARNING`` or the region. `fit`
        saves it in the state file, unless it is AWS.
    s3_endpoint_url : str, optional
        URL of an S3-compatible server; without it boto3 chooses it.
    s3_root : str, optional
        A folder that contains one folder per bucket, instead of S3: that of ``amazon-ml serve --s3-root``.
    options : TrainingOptions, optional
        How to train.
    timeout : float
        Maximum seconds per job.

    Examples
    --------
    >>> classifier = AmazonMLClassifier("documents", "letters", state_file="letters.json", s3_root="s3")
    >>> classifier.options.train_percent
    70
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = DEFAULT_PLACE.prefix,
        region: str = DEFAULT_PLACE.region,
        *,
        state_file: str | Path,
        endpoint_url: str | None = None,
        s3_endpoint_url: str | None = None,
        s3_root: str | Path | None = None,
        options: TrainingOptions | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self.place = Place(
            bucket=bucket,
            prefix=prefix.strip("/"),
            region=region,
            endpoint_url=endpoint_url,
            s3_endpoint_url=s3_endpoint_url,
            s3_root=None if s3_root is None else str(Path(s3_root).resolve()),
        )
        self.state_file = Path(state_file)
        self.options = options or TrainingOptions()
        self._timeout = timeout
        self._work: Workspace | None = None

    @classmethod
    def load(
        cls,
        state_file: str | Path,
        *,
        endpoint_url: str | None = None,
        s3_endpoint_url: str | None = None,
        s3_root: str | Path | None = None,
        timeout: float = TIMEOUT,
    ) -> AmazonMLClassifier:
        """Load a model that `fit` trained.

        Parameters
        ----------
        state_file : str or pathlib.Path
            The file that `fit` wrote.
        endpoint_url, s3_endpoint_url, s3_root : str, optional
            New values, if they have changed.
        timeout : float
            Maximum seconds per job.

        Returns
        -------
        AmazonMLClassifier

        Raises
        ------
        textclf.base.errors.BadInputError, textclf.base.errors.BadModelError
            The file cannot be read, or is not a state file.
        """
        file = StateFile.open(state_file)
        place = file.state.place
        # only one of both can be used, so giving one removes the other
        if s3_endpoint_url is not None or s3_root is not None:
            place = replace(place, s3_endpoint_url=s3_endpoint_url, s3_root=None if s3_root is None else str(s3_root))
        place = replace(place, endpoint_url=endpoint_url or place.endpoint_url)
        classifier = cls(**asdict(place), state_file=state_file, timeout=timeout)
        classifier._opened(file)
        return classifier

    @property
    def client(self) -> Any:
        """The boto3 client, for example for `textclf.predict_document_category`."""
        return self._opened().service.client

    @property
    def model_id(self) -> str:
        """Id of the model."""
        return self._opened().state.model_id

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of the training data, sorted, in the order of the scores."""
        return self._opened().state.source.categories

    def _opened(self, file: StateFile | None = None) -> Workspace:
        if self._work is None or file is not None:
            file = file or StateFile.open(self.state_file)
            self._work = Workspace(file, self.place, timeout=self._timeout)
        return self._work

    # --- training

    def plan(self, datasource: str | Path) -> Plan:
        """Return what `fit` would write and create; nothing is sent.

        Parameters
        ----------
        datasource : str or pathlib.Path
            As for `fit`.

        Returns
        -------
        Plan
        """
        state = self._new_state(datasource)
        url = state.data_url(state.source)
        return Plan(files=(f"{url}.schema", url), creations=training_requests(state))

    def fit(self, datasource: str | Path) -> AmazonMLClassifier:
        """Upload a datasource and train a model on a share of it.

        Parameters
        ----------
        datasource : str or pathlib.Path
            CSV that ``textclf prepare`` wrote, or its folder, with the schema and features that were written beside it.

        Returns
        -------
        AmazonMLClassifier
            Itself.

        Raises
        ------
        textclf.base.errors.TextclfError
            The data are not usable, the service refuses or fails
            (`aws_ml_adapter.client.service_calls.AmazonMLError`), or the state file belongs to another model.
        """
        path = datasource_file(datasource)
        state = self._new_state(path)
        file = StateFile(self.state_file, state)
        work = self._opened(file)
        host = urlsplit(work.service.url).hostname or ""
        if not host.endswith(".amazonaws.com"):
            # saved, because the environment of the next command may name another server
            state = replace(state, place=replace(state.place, endpoint_url=work.service.url))
        file.update(lambda held: replace(held, place=state.place) if held.trains_as(state) else held)
        if not file.state.trains_as(state):
            self._work = None
            raise UsageError(
                "is of a model with other data or settings",
                where=self.state_file,
                remedy="give another file, or remove that model with `amazon-ml delete` first",
            )
        if file.state.run != state.run:
            _log.info(f"continuing with {work.state.model_id}")
        try:
            work.upload(path, work.state.source)
            items = [work.create(item) for item in training_requests(work.state)]
        except TextclfError:
            if not (work.state.files or work.state.created):
                work.delete()
                self._work = None
            raise
        for item in items:
            work.service.wait(item)
        return self

    def _new_state(self, datasource: str | Path) -> ClientState:
        return new_state(datasource_file(datasource), self.options, self.place, beside=self.state_file)

    # --- predicting

    def evaluate(
        self,
        table: str | Path | None = None,
        *,
        max_error: float = DEFAULTS.max_error,
        confidence: float = DEFAULTS.confidence,
        by: Sequence[str] = (),
        features: str | Path | None = None,
        options: TableOptions | None = None,
    ) -> AmazonEvaluation:
        """Compare the model's predictions with the true categories.

        Parameters
        ----------
        table : str or pathlib.Path, optional
            A datasource, its folder, or a documents CSV, with categories. Without it, the documents held out in
            training are used, and the threshold from which predictions are accepted is chosen and saved.
        max_error, confidence : float
            The maximum error among accepted documents, and the confidence that it is kept.
        by : sequence of str
            Columns of a documents CSV; the metrics are also computed for each of their values.
        features : str or pathlib.Path, optional
            Folder that prepare wrote, if it has moved.
        options : TableOptions, optional
            How a documents CSV is read.

        Returns
        -------
        AmazonEvaluation

        Raises
        ------
        textclf.base.errors.TextclfError
            As for `fit`; or no documents were held out.
        """
        from textclf.evaluation.evaluate import evaluate_predictions

        TrainingSettings(max_error=max_error, confidence=confidence)
        work = self._opened()
        with self._documents(table, features, options, by) as (data, source_id):
            columns = {column: data.column(column) for column in by}
            evaluation = work.create(evaluation_request(work.state, source_id), again=True)
            predictor = work.create(prediction_request(work.state, source_id), again=True)
            record = work.service.wait(evaluation)
            rows = list(work.results(predictor, self.categories))
            texts = {row.document_id: row.text for row in read_datasource(data.path)}
        usable = [row for row in rows if row is not None and row.true_label]
        groups = {column: [values[row.tag] for row in usable] for column, values in columns.items()}
        if table is None:
            acceptance = choose_accepted(usable, self.categories, max_error, confidence)
            work.file.update(lambda state: replace(state, acceptance=acceptance))
        report = evaluate_predictions(
            self.categories,
            [row.true_label for row in usable],
            [self._prediction(row.tag, row) for row in usable],
            texts=[texts.get(row.tag, "") for row in usable],
            groups=groups,
        )
        return AmazonEvaluation(
            evaluation_id=evaluation.id,
            average_f1=float(record["PerformanceMetrics"]["Properties"]["MulticlassAvgFScore"]),
            report=report,
            unusable=len(rows) - len(usable),
        )

    def predict(
        self,
        table: str | Path,
        *,
        features: str | Path | None = None,
        options: TableOptions | None = None,
    ) -> Iterator[Prediction]:
        """Predict documents with a batch prediction.

        Parameters
        ----------
        table : str or pathlib.Path
            A datasource, its folder, or a documents CSV.
        features : str or pathlib.Path, optional
            Folder that prepare wrote, if it has moved.
        options : TableOptions, optional
            How a documents CSV is read.

        Yields
        ------
        Prediction
            In the order of the table; ``scores`` in the order of `categories`. Without an evaluation of the held-out
            documents none is accepted.

        Raises
        ------
        textclf.base.errors.TextclfError
            As for `fit`; or the results do not match the table.
        """
        work = self._opened()
        with self._documents(table, features, options) as (data, source_id):
            predictor = work.create(prediction_request(work.state, source_id), again=True)
            found = self._aligned(data, work.results(predictor, self.categories))
            if data.documents is None:
                yield from found
                return
            by_id = {prediction.document_id: prediction for prediction in found}
        for document in data.documents:
            if document.error:
                yield failed_prediction(document.document_id, UNUSABLE_ROW, document.error)
            else:
                yield by_id[document.document_id]

    @contextmanager
    def _documents(
        self,
        table: str | Path | None,
        features: str | Path | None,
        options: TableOptions | None,
        columns: Sequence[str] = (),
    ) -> Iterator[tuple[SentData, str]]:
        """Yield the documents of a table, or without one those held out, and the id of their data source."""
        work = self._opened()
        state = work.state
        if table is None:
            if state.train_percent == 100:
                raise UsageError("no documents were held out", remedy="give a table to evaluate on")
            if columns:
                remedy = "give --by with a documents CSV only"
                raise UsageError("there are no further columns", where="the held-out documents", remedy=remedy)
            request = data_source_request(state, "held-out", state.source, state.split(complement=True))
            source_id = work.create(request, again=True).id
            with work.downloaded(state.source) as path:
                yield SentData(path=path, source=state.source, document_ids=()), source_id
            return
        kept = Path(features or self.state_file.parent / state.features)
        with sent_data(table, kept, options or TableOptions()) as data:
            for name in columns:
                data.column(name)
            with work.objects.open(f"{state.data_url(state.source)}.schema") as stream:
                schema = Schema.from_json(stream.read().decode(), where="the schema of the training data")
            if read_datasource_schema(data.path) != schema:
                raise BadDataError(
                    "has other columns than the training data",
                    where=table,
                    remedy="give a documents CSV, whose columns are computed as in training",
                )
            work.upload(data.path, data.source)
            request = data_source_request(state, data.source.sha256[:8], data.source, None)
            yield data, work.create(request, again=True).id

    def _aligned(self, data: SentData, rows: Iterator[ResultRow | None]) -> Iterator[Prediction]:
        """Match results and rows by position, because failed rows have no id."""
        count = 0
        for document_id, row in zip(data.document_ids, rows, strict=False):
            if row is not None and row.tag != document_id:
                break
            count += 1
            yield self._prediction(document_id, row)
        if count < len(data.document_ids) or next(rows, "end") != "end":
            raise BadDataError(
                f"the results do not match the table after row {count:,}",
                where=data.source.name,
                remedy="remove all with `amazon-ml delete` and train again",
            )

    def _prediction(self, document_id: str, row: ResultRow | None) -> Prediction:
        return to_prediction(document_id, row, self.categories, self._opened().state.acceptance)

    # --- real-time predictions

    def open_endpoint(self) -> str:
        """Create a real-time endpoint, unless it exists, and wait until it is ready.

        Returns
        -------
        str
            Its URL: the ``endpoint`` that `textclf.predict_document_category` takes with `client` and `model_id`.
        """
        work = self._opened()
        work.file.update(lambda state: replace(state, endpoint=True))
        work.service.call("CreateRealtimeEndpoint", MLModelId=self.model_id)
        return work.service.wait_for_endpoint(self.model_id)

    def close_endpoint(self) -> None:
        """Delete the real-time endpoint, which is charged for while it exists."""
        work = self._opened()
        work.service.delete_endpoint(self.model_id)
        work.file.update(lambda state: replace(state, endpoint=False))

    # --- deleting

    def delete(self) -> None:
        """Remove the endpoint, objects and files recorded in the state file, and finally the file itself."""
        work = self._opened()
        if work.state.endpoint:
            self.close_endpoint()
        work.delete()
        self._work = None
