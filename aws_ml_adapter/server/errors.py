"""The exceptions that the service's API declares, and those that every AWS service has."""

from __future__ import annotations

_STATUS = {
    "AccessDeniedException": 403,
    "IncompleteSignatureException": 403,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "RequestEntityTooLargeException": 413,
    "InternalServerException": 500,
}
_MESSAGE_LIMIT = 2_048


class ServiceError(Exception):
    """An answer that is an error.

    Parameters
    ----------
    name : str
        ``__type`` of the answer.
    message : str
        At most 2,048 characters are sent.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/APIReference/CommonErrors.html

    Examples
    --------
    >>> error = ServiceError("ResourceNotFoundException", "No MLModel with id ml-1 exists")
    >>> error.status, error.body
    (400, {'__type': 'ResourceNotFoundException', 'message': 'No MLModel with id ml-1 exists'})
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.status = _STATUS.get(name, 400)
        self.body = {"__type": name, "message": message[:_MESSAGE_LIMIT]}
