"""Builds the compiled core as a plain shared library, without Python's headers: one wheel for all versions of Python.

All else is in pyproject.toml.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

# the same results on every machine: no instructions of this one, no products that are not rounded before they are added
FLAGS = ["-std=c99", "-O3", "-ffp-contract=off", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wconversion"]


class BuildLibrary(build_ext):
    """Gives the library the name by which it is loaded."""

    def get_ext_filename(self, fullname: str) -> str:
        """Give its path from the name of the extension."""
        return str(Path(*fullname.split(".")[:-1], "libcore.so"))


class Wheel(bdist_wheel):
    """Marks the wheel as one for all versions of Python, on this platform."""

    def get_tag(self) -> tuple[str, str, str]:
        """Give Python, ABI and platform."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[
        Extension(
            "features.core.libcore",
            sources=sorted(map(str, Path("features", "core").glob("*.c"))),
            depends=["features/core/core.h"],
            extra_compile_args=FLAGS,
            libraries=["m"],
        )
    ],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": Wheel},
)
