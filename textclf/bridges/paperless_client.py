"""What is asked of the REST API of paperless-ngx, and the shapes of its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from textclf.bridges.paperless_http import GoneError, PaperlessHttp, unexpected

PAGE_SIZE = 100
MAX_PAGES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperlessDocument:
    """A document of the archive."""

    id: int
    title: str = ""
    content: str = ""
    document_type: int | None = None
    correspondent: int | None = None
    tags: tuple[int, ...] = ()
    fields: Mapping[int, Any] = field(default_factory=dict)
    """Values of its custom fields, by the id of the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperlessTag:
    """A tag of the archive."""

    id: int
    name: str
    is_inbox: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperlessField:
    """A custom field of the archive."""

    id: int
    name: str
    data_type: str


class PaperlessClient:
    """The requests that are made of paperless-ngx, over an open connection."""

    def __init__(self, http: PaperlessHttp) -> None:
        self._http = http

    @property
    def address(self) -> str:
        """Where it is."""
        return self._http.address

    def document_types(self) -> dict[int, str]:
        """Give the names of the document types by id."""
        return {_integer(one, "id"): _text(one, "name") for one in self._all("document_types")}

    def tags(self) -> list[PaperlessTag]:
        """Give the tags."""
        return [
            PaperlessTag(id=_integer(one, "id"), name=_text(one, "name"), is_inbox=one.get("is_inbox_tag") is True)
            for one in self._all("tags")
        ]

    def custom_fields(self) -> list[PaperlessField]:
        """Give the custom fields."""
        return [
            PaperlessField(id=_integer(one, "id"), name=_text(one, "name"), data_type=_text(one, "data_type"))
            for one in self._all("custom_fields")
        ]

    def documents(self, *, newest_first: bool = False, tag: int | None = None) -> Iterator[PaperlessDocument]:
        """Give the documents that the user may see, by id, each once; with `tag`, only those that have it."""
        seen: set[int] = set()
        query = {"ordering": "-id" if newest_first else "id"} | ({} if tag is None else {"tags__id__all": str(tag)})
        for one in self._all("documents", **query):
            document = _document(one)
            if document.id not in seen and (tag is None or tag in document.tags):
                seen.add(document.id)
                yield document

    def document(self, document_id: int) -> PaperlessDocument:
        """Give one document."""
        return _document(_object(self._http.json("GET", f"documents/{document_id}/")))

    def suggested_types(self, document_id: int) -> tuple[int, ...]:
        """Give the document types that paperless-ngx itself suggests for a document."""
        answer = _object(self._http.json("GET", f"documents/{document_id}/suggestions/"))
        return _integers(answer, "document_types")

    def download(self, document_id: int, target: Path, *, limit: int) -> None:
        """Write the original file of a document to a path."""
        self._http.download(f"documents/{document_id}/download/?original=true", target, limit=limit)

    def set_document_type(self, document_id: int, document_type: int) -> None:
        """Set the document type of a document, and nothing else."""
        self._http.json("PATCH", f"documents/{document_id}/", {"document_type": document_type})

    def set_type_and_field(self, document_id: int, document_type: int, custom_field: int, value: float | str) -> None:
        """Set the document type and the value of one custom field of a document, both or neither.

        Parameters
        ----------
        document_id, document_type, custom_field : int
            Their ids.
        value : float or str
            Of the custom field.

        Raises
        ------
        textclf.bridges.paperless_http.InvalidError
            If the type or the field is not there, or another field of the document has a value that is not valid.
        """
        # paperless-ngx takes all fields together, and removes those that are not sent
        fields = {**self.document(document_id).fields, custom_field: value}
        changes = [{"field": number, "value": given} for number, given in fields.items()]
        body = {"document_type": document_type, "custom_fields": changes}
        self._http.json("PATCH", f"documents/{document_id}/", body)

    def modify_tags(self, document_id: int, *, add: tuple[int, ...], remove: tuple[int, ...]) -> None:
        """Add and remove tags; all others stay, whoever sets them in the meantime."""
        parameters = {"add_tags": list(add), "remove_tags": list(remove)}
        self._bulk_edit(document_id, "modify_tags", parameters)

    def set_custom_field(self, document_id: int, custom_field: int, value: float | str) -> None:
        """Set the value of one custom field; all others stay."""
        parameters = {"add_custom_fields": {str(custom_field): value}, "remove_custom_fields": []}
        self._bulk_edit(document_id, "modify_custom_fields", parameters)

    def _bulk_edit(self, document_id: int, method: str, parameters: Mapping[str, Any]) -> None:
        body = {"documents": [document_id], "method": method, "parameters": parameters}
        self._http.json("POST", "documents/bulk_edit/", body)

    def _all(self, what: str, **query: str) -> Iterator[dict[str, Any]]:
        # the address of the next page may be one that only the server knows, so pages are counted
        addresses = set()
        for page in range(1, MAX_PAGES + 1):
            parameters = urlencode({**query, "page": page, "page_size": PAGE_SIZE})
            try:
                answer = _object(self._http.json("GET", f"{what}/?{parameters}"))
            except GoneError:
                # the last page vanished with the documents on it
                if page > 1:
                    return
                raise
            results = answer.get("results")
            if not isinstance(results, list):
                raise unexpected("a list without results")
            yield from map(_object, results)
            if not (address := answer.get("next")):
                return
            if not results or str(address) in addresses:
                break
            addresses.add(str(address))
        raise unexpected("a list without an end")


def _document(value: dict[str, Any]) -> PaperlessDocument:
    fields = value.get("custom_fields") or []
    if not isinstance(fields, list):
        raise unexpected("custom fields that are no list")
    return PaperlessDocument(
        id=_integer(value, "id"),
        title=_text(value, "title"),
        content=_text(value, "content"),
        document_type=_optional(value, "document_type"),
        correspondent=_optional(value, "correspondent"),
        tags=_integers(value, "tags"),
        fields={_integer(one, "field"): one.get("value") for one in map(_object, fields)},
    )


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise unexpected(f"{type(value).__name__} where an object should be")
    return value


def _integer(value: Mapping[str, Any], name: str) -> int:
    found = value.get(name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise unexpected(f"no number as {name}")
    return found


def _optional(value: Mapping[str, Any], name: str) -> int | None:
    return None if value.get(name) is None else _integer(value, name)


def _integers(value: Mapping[str, Any], name: str) -> tuple[int, ...]:
    found = value.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in found):
        raise unexpected(f"no list of numbers as {name}")
    return tuple(found)


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    if found is not None and not isinstance(found, str):
        raise unexpected(f"no text as {name}")
    # JSON may escape halves of a character, which no file could be written with
    return (found or "").encode("utf-8", "replace").decode("utf-8")
