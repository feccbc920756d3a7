"""The model on duty, loaded; it follows the library."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from textclf.base.errors import TextclfError
from textclf.data.results import LoadedModel
from textclf.model.settings import AcceptanceOptions

if TYPE_CHECKING:
    from textclf.library.library import Library

_log = logging.getLogger(__name__)


class ModelOnDuty:
    """Loads the model that is on duty in a library, and changes with it.

    Parameters
    ----------
    library : Library
        Where models are put on duty.
    accepting : AcceptanceOptions
        The maximum error that holds for every model, if it is not that which each was trained or taken with.
    """

    def __init__(self, library: Library, accepting: AcceptanceOptions) -> None:
        self._library, self.max_error = library, accepting.max_error
        self._lock = threading.Lock()
        self.current: LoadedModel | None = None

    def refresh(self) -> LoadedModel | None:
        """Load the model on duty, unless it is loaded; one that cannot be loaded leaves the former at work.

        Raises
        ------
        textclf.base.errors.TextclfError
            If it cannot be loaded, and there is no former.
        """
        from textclf.model.file import load_model

        with self._lock:
            stored = self._library.model_on_duty()
            if stored is None or (self.current is not None and self.current.id == stored.id):
                return self.current
            try:
                model = load_model(self._library.model_path(stored.id)).with_max_error(self.max_error)
            except TextclfError as error:
                if self.current is None:
                    raise
                _log.error(f"the model {stored.name} stays off duty: {error}")
                return self.current
            version = str(stored.figures.get("versions", {}).get("textclf", ""))
            self.current = LoadedModel(id=stored.id, name=stored.name, version=version, model=model)
            _log.info(f"on duty: {stored.name} ({stored.id[:12]}), {len(model.categories)} categories")
            return self.current
