"""Setuptools as build backend, with a C compiler from a wheel where the machine has none."""

import shutil
import sys
from os import environ
from sysconfig import get_config_var

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 - the hooks of PEP 517

# the compiler that Python was built with need not be on this machine
_found = [environ.get("CC"), get_config_var("CC"), "cc"]
_compiler = next((name for name in _found if name and shutil.which(name.split()[0])), f"{sys.executable} -m ziglang cc")
if _compiler != get_config_var("CC"):
    environ["CC"] = _compiler
    environ.setdefault("LDSHARED", f"{_compiler} -shared")


def _with_compiler(requirements: list[str]) -> list[str]:
    return [*requirements, "ziglang>=0.13"] if "ziglang" in _compiler else requirements


def get_requires_for_build_wheel(config_settings: dict[str, str] | None = None) -> list[str]:
    """Give what building a wheel needs beside setuptools."""
    return _with_compiler(build_meta.get_requires_for_build_wheel(config_settings))


def get_requires_for_build_editable(config_settings: dict[str, str] | None = None) -> list[str]:
    """Give what an editable installation needs beside setuptools."""
    return _with_compiler(build_meta.get_requires_for_build_editable(config_settings))
