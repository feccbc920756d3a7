"""Options of filing, and the folders that they stand for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textclf.base.errors import UsageError
from textclf.base.files import refuse_unwritable_folder
from textclf.base.options import check_options, option
from textclf.data.labels import NOT_CATEGORIES
from textclf.folders.file_names import FIELDS, PATTERN, check_pattern

if TYPE_CHECKING:
    from textclf.library.records import Operation

PRIVATE = ".textclf"
"""Folder below that of filed documents, which holds the lock, the log and, unless it lies elsewhere, the library."""
Result = Literal["filed", "review", "failed", "duplicate"]
"""Where a file goes: to its category, or to one of three folders for a person to look into."""
_OPTIONS: dict[Result, str] = {
    "filed": "--into",
    "review": "--review",
    "failed": "--failed",
    "duplicate": "--duplicates",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingOptions:
    """How files are filed."""

    review: Path | None = option(
        None, metavar="FOLDER", help="Where files go of which the model is not sure; by default _review below --into."
    )
    failed: Path | None = option(
        None, metavar="FOLDER", help="Where files go that cannot be read; by default _failed below --into."
    )
    duplicates: Path | None = option(
        None,
        metavar="FOLDER",
        help="Where files go whose content was filed before and is still there; by default _duplicates below --into.",
    )
    name: str = option(
        PATTERN,
        metavar="PATTERN",
        help=f"Place of an accepted file below --into, of {', '.join(f'{{{field}}}' for field in FIELDS)}; "
        "the suffix stays.",
    )
    move: bool = option(False, help="Move the files; so it is unless another way is given.")
    copy: bool = option(False, help="Copy the files; they stay where they are.")
    link: bool = option(False, help="Give each file a second name (a hard link), which takes no space.")

    def __post_init__(self) -> None:
        check_options(self)
        check_pattern(self.name)
        if self.move + self.copy + self.link > 1:
            raise UsageError("--move, --copy and --link exclude each other", remedy="give one of them")

    @property
    def operation(self) -> Operation:
        """What is done with each file."""
        return "copy" if self.copy else "link" if self.link else "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """The folders of filing, as absolute paths without links."""

    into: Path
    folders: dict[Result, Path]

    @classmethod
    def of(cls, into: Path, options: FilingOptions) -> Destinations:
        """Give the folders that options stand for."""
        into = Path(os.path.realpath(into))
        given: dict[Result, Path | None] = {
            "review": options.review,
            "failed": options.failed,
            "duplicate": options.duplicates,
        }
        folders: dict[Result, Path] = {"filed": into}
        for name, (result, folder) in zip(NOT_CATEGORIES, given.items(), strict=True):
            folders[result] = into / name if folder is None else Path(os.path.realpath(folder))
        return cls(into=into, folders=folders)

    @property
    def private(self) -> Path:
        """The folder of lock and log."""
        return self.into / PRIVATE

    def check(self, inboxes: list[Path], *, once: bool) -> None:
        """Check the folders; what was filed, as for review, may be filed `once` more, as with a better model.

        Raises
        ------
        textclf.base.errors.OutputError
            If one of them cannot be written.
        textclf.base.errors.UsageError
            If one of them is itself a folder from which files are taken.
        """
        for result, folder in self.folders.items():
            refuse_unwritable_folder(folder, f"choose another place with {_OPTIONS[result]}")
            for inbox in inboxes:
                home = Path(os.path.realpath(inbox))
                if home == self.into or (not once and home.is_relative_to(folder)):
                    raise UsageError(
                        "is where files are taken from, and where they would go", where=inbox, remedy="give two folders"
                    )

    def holds(self, path: Path, inbox: Path) -> bool:
        """Return whether a path in an inbox is one of what was filed, because the folders lie in the inbox."""
        home = Path(os.path.realpath(inbox))
        inner = [folder for folder in (*self.folders.values(), self.private) if home in folder.parents]
        return any(Path(os.path.realpath(path)).is_relative_to(folder) for folder in inner)
