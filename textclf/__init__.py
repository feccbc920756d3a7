"""textclf: from a scan to its kind, with how sure it is and why.

Names of this package load their modules when first used, so that ``import textclf`` costs nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"
