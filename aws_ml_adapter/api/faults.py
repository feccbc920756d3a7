"""The two kinds of errors of Amazon ML: in a request, reported at once, and in data, reported in an object's status."""

from __future__ import annotations

from textclf.base.errors import ExitCode, TextclfError


class RequestFault(TextclfError):  # noqa: N818 - a fault in the sense of service models: whose fault an error is
    """An error in the request itself; the server answers ``InvalidInputException`` with this message."""

    code = "request-fault"
    exit_code = ExitCode.USAGE


class DataFault(TextclfError):  # noqa: N818
    """An error in data; the object that needed them gets the status ``FAILED`` with this message."""

    code = "data-fault"
    exit_code = ExitCode.BAD_DATA
