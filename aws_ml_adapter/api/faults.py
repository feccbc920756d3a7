"""The two ways in which Amazon ML says no: to a request at once, to data in the object's status later."""

from __future__ import annotations

from textclf.base.errors import ExitCode, TextclfError


class RequestFault(TextclfError):  # noqa: N818 - a fault in the sense of service models: whose fault an error is
    """What is wrong with the request itself; the server answers ``InvalidInputException`` with this message.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/APIReference/CommonErrors.html

    Examples
    --------
    >>> print(RequestFault("percentEnd is 170, not 0 to 100", where="DataRearrangement"))
    DataRearrangement: percentEnd is 170, not 0 to 100
    """

    code = "request-fault"
    exit_code = ExitCode.USAGE


class DataFault(TextclfError):  # noqa: N818
    """What is wrong with data; the object that needed them gets the status ``FAILED`` with this message.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/operation-request-status.html

    Examples
    --------
    >>> print(DataFault("more than 10,000 rows were rejected", where="s3://bucket/data.csv"))
    s3://bucket/data.csv: more than 10,000 rows were rejected
    """

    code = "data-fault"
    exit_code = ExitCode.BAD_DATA
