"""How much one document may cost: the bounds that keep a stranger's file from taking the machine."""

from __future__ import annotations

from dataclasses import dataclass, fields

from textclf.base.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what is read; all are on unless raised.

    Parameters
    ----------
    max_bytes : int
        Largest file, in bytes; a larger one is refused.
    max_pages : int
        Pages read of one document; of a longer one the first are read, and its status is ``partial``.
    max_pixels : int
        Most pixels of a page image that is worked on; a larger image is scaled down while it is opened.
    max_declared_pixels : int
        Most pixels that a file may announce; one that announces more is a decompression bomb and refused
        before anything is decoded. The default lets a square of 30,000 pixels pass.
    max_memory : int
        Address space of a worker process and of the engine it starts, in bytes (POSIX only); a page that needs
        more fails. It does not bound reading without worker processes.
    max_text_length : int
        Characters kept of one document; what is beyond is cut, and the status is ``partial``.
    seconds_per_page : float
        Time one page may take, all attempts together.

    Raises
    ------
    textclf.base.errors.UsageError
        If a limit is not above 0.

    Examples
    --------
    >>> Limits(max_pages=3).max_pages
    3
    >>> Limits(max_pages=0)
    Traceback (most recent call last):
    ...
    textclf.base.errors.UsageError: max_pages: must be above 0
    """

    max_bytes: int = 200_000_000
    max_pages: int = 100
    max_pixels: int = 40_000_000
    max_declared_pixels: int = 1_000_000_000
    max_memory: int = 8_000_000_000
    max_text_length: int = 1_000_000
    seconds_per_page: float = 60.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise UsageError("must be above 0", where=field.name)
