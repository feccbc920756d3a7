"""Options that say where a library is; imports no database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.base.options import check_options, option

if TYPE_CHECKING:
    from textclf.library.library import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryOptions:
    """Where a library is."""

    library: Path | None = option(
        None, metavar="FOLDER", help="Folder of what is known of documents and models, on a disk of this machine."
    )
    database: str = option(
        "",
        metavar="ADDRESS",
        repr=False,
        help="Database server in place of a file in that folder, such as postgresql+psycopg://user@host/name.",
    )

    def __post_init__(self) -> None:
        check_options(self)

    def open(self, default: Path) -> Library:
        """Open the library, or make one, by default in a folder.

        Raises
        ------
        textclf.base.errors.TextclfError
            As `Library`.
        """
        from textclf.library.library import Library

        return Library.open(self.library or default, self.database or None)

    def look_into(self, default: Path) -> Library | None:
        """Open the library, by default in a folder, to read from it; None if there is none.

        Raises
        ------
        textclf.base.errors.TextclfError
            As `Library`.
        """
        from textclf.library.library import Library

        return Library.look_into(self.library or default, self.database or None)
