"""Setuptools as build backend, with a C compiler from a wheel where the machine has none."""

import shutil
import sys
from os import environ

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 - the hooks of PEP 517

if not shutil.which(environ.get("CC", "cc")):
    environ["CC"] = environ["LDSHARED"] = f"{sys.executable} -m ziglang cc"
    environ["LDSHARED"] += " -shared"


def _with_compiler(requirements: list[str]) -> list[str]:
    return [*requirements, "ziglang>=0.13"] if "ziglang" in environ.get("CC", "") else requirements


def get_requires_for_build_wheel(config_settings: dict[str, str] | None = None) -> list[str]:
    """Give what building a wheel needs beside setuptools."""
    return _with_compiler(build_meta.get_requires_for_build_wheel(config_settings))


def get_requires_for_build_editable(config_settings: dict[str, str] | None = None) -> list[str]:
    """Give what an editable installation needs beside setuptools."""
    return _with_compiler(build_meta.get_requires_for_build_editable(config_settings))
