"""The options that say which broker wakes workers; imports no Celery."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from textclf.base.errors import UsageError
from textclf.base.options import check_options, option

SCHEMES = ("amqp", "amqps", "redis", "rediss", "sqs")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOptions:
    """Which broker wakes workers."""

    broker: str | None = option(
        None,
        metavar="URL",
        repr=False,
        help="Broker that wakes workers: amqp://user:password@host/vhost (RabbitMQ), redis://host/0 or sqs:// (Amazon "
        "SQS); amqps and rediss with TLS. A password is better given in the environment.",
    )
    broker_queue: str = option(
        "textclf", metavar="NAME", help="Queue of the broker; each library needs one of its own."
    )

    def __post_init__(self) -> None:
        check_options(self)
        # what stands before :// may hold no password
        scheme, found, _ = (self.broker or "").partition("://")
        if self.broker is not None and (not found or scheme not in SCHEMES):
            raise UsageError(
                "is no address of a broker that is supported",
                where="broker",
                remedy=f"give one that begins with {', '.join(f'{one}://' for one in SCHEMES)}",
            )
        if self.broker is not None and not _is_unambiguous(self.broker):
            raise UsageError(
                "is no address with a valid host and port",
                where="broker",
                remedy="percent-encode what the user name and the password hold of / # ? @ : [ ], such as / as %2F",
            )
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", self.broker_queue):
            raise UsageError(
                "must be 1 to 80 letters, digits, hyphens and underscores", where="broker_queue", remedy="as SQS has it"
            )


def _is_unambiguous(address: str) -> bool:
    """Say whether an address has one reading, so that no half of a password counts as host, port or path."""
    try:
        parts = urlsplit(f"http://{address.partition('://')[2]}")
        _ = parts.port
    # what the error says may hold a part of the password
    except ValueError:
        return False
    return not parts.fragment and "@" not in parts.path + parts.query
