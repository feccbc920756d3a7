"""What there is in Amazon ML: kinds of objects, what becomes of them, types of models and what these predict."""

from __future__ import annotations

from enum import StrEnum

from aws_ml_adapter.api.faults import RequestFault
from features.schema import AttributeType, Schema

CLASS_LIMIT = 100
"""Classes that a multiclass model can tell apart, as
https://docs.aws.amazon.com/machine-learning/latest/dg/system-limits.html has it."""

BINARY_CLASSES = ("0", "1")


class Kind(StrEnum):
    """The four kinds of objects, by the name that tags call them."""

    DATA_SOURCE = "DataSource"
    MODEL = "MLModel"
    EVALUATION = "Evaluation"
    BATCH_PREDICTION = "BatchPrediction"


class Status(StrEnum):
    """What has become of an object.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/operation-request-status.html
    """

    PENDING = "PENDING"
    INPROGRESS = "INPROGRESS"
    FAILED = "FAILED"
    COMPLETED = "COMPLETED"
    DELETED = "DELETED"


class ModelType(StrEnum):
    """What a model predicts.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/types-of-ml-models.html
    """

    REGRESSION = "REGRESSION"
    """A number, by linear regression."""
    BINARY = "BINARY"
    """The probability of 1, by logistic regression."""
    MULTICLASS = "MULTICLASS"
    """The probability of each class, by multinomial logistic regression."""

    @property
    def target_type(self) -> AttributeType:
        """Type of the attribute that such a model predicts."""
        return _TARGET_TYPES[self]


_TARGET_TYPES = {
    ModelType.REGRESSION: AttributeType.NUMERIC,
    ModelType.BINARY: AttributeType.BINARY,
    ModelType.MULTICLASS: AttributeType.CATEGORICAL,
}


def check_target(schema: Schema, model_type: ModelType) -> str:
    """Say which attribute a model of a type would predict.

    Parameters
    ----------
    schema : Schema
        Of the training data.
    model_type : ModelType
        Of the model.

    Returns
    -------
    str
        Name of the target.

    Raises
    ------
    RequestFault
        The schema has no target, or one of another type.

    Examples
    --------
    >>> schema = Schema(attributes=(("paid", AttributeType.BINARY),), target="paid")
    >>> check_target(schema, ModelType.BINARY)
    'paid'
    """
    if schema.target is None:
        raise RequestFault("the schema of the training data names no target", remedy="give it a targetAttributeName")
    kind = dict(schema.attributes)[schema.target]
    if kind is not model_type.target_type:
        raise RequestFault(
            f"a {model_type} model predicts a {model_type.target_type} attribute, "
            f"and the target '{schema.target}' is {kind}",
            remedy="use the model type that fits, or correct the schema",
        )
    return schema.target
