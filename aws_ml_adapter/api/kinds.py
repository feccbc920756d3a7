"""Enumerations of Amazon ML: kinds of objects, their statuses, and types of models."""

from __future__ import annotations

from enum import StrEnum

from aws_ml_adapter.api.faults import RequestFault
from features.schema import AttributeType, Schema

CLASS_LIMIT = 100
"""Maximum classes of a multiclass model:
https://docs.aws.amazon.com/machine-learning/latest/dg/system-limits.html."""

BINARY_CLASSES = ("0", "1")


class Kind(StrEnum):
    """The four kinds of objects, named as in tags and operations."""

    DATA_SOURCE = "DataSource"
    MODEL = "MLModel"
    EVALUATION = "Evaluation"
    BATCH_PREDICTION = "BatchPrediction"


class Status(StrEnum):
    """The status of an object."""

    PENDING = "PENDING"
    INPROGRESS = "INPROGRESS"
    FAILED = "FAILED"
    COMPLETED = "COMPLETED"
    DELETED = "DELETED"


class ModelType(StrEnum):
    """The type of a model."""

    REGRESSION = "REGRESSION"
    """Predicts a number, by linear regression."""
    BINARY = "BINARY"
    """Predicts the probability of 1, by logistic regression."""
    MULTICLASS = "MULTICLASS"
    """Predicts the probability of each class, by multinomial logistic regression."""

    @property
    def target_type(self) -> AttributeType:
        """The type of the target attribute."""
        return _TARGET_TYPES[self]


_TARGET_TYPES = {
    ModelType.REGRESSION: AttributeType.NUMERIC,
    ModelType.BINARY: AttributeType.BINARY,
    ModelType.MULTICLASS: AttributeType.CATEGORICAL,
}


def check_target(schema: Schema, model_type: ModelType) -> str:
    """Return the name of the target; raises `RequestFault` if there is none, or it does not fit the model type."""
    if schema.target is None:
        raise RequestFault("the schema of the training data names no target", remedy="give it a targetAttributeName")
    kind = dict(schema.attributes)[schema.target]
    if kind is not model_type.target_type:
        raise RequestFault(
            f"a {model_type} model predicts a {model_type.target_type} attribute, "
            f"but the target '{schema.target}' is {kind}",
            remedy="use the model type that fits, or correct the schema",
        )
    return schema.target
