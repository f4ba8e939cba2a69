"""What pyproject.toml cannot say: the extension, and its compiler's options."""

import sysconfig

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Python without its lock knows no limited API.
LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")


class BuildExt(build_ext):
    """C11, and optimized whatever Python was built with."""

    def build_extensions(self) -> None:
        """Say it in the compiler's own way."""
        is_msvc = self.compiler.compiler_type == "msvc"
        for extension in self.extensions:
            extension.extra_compile_args = ["/std:c11", "/O2"] if is_msvc else ["-std=c11", "-O3"]
        super().build_extensions()


setup(
    cmdclass={"build_ext": BuildExt},
    ext_modules=[
        Extension(
            "dicomprinter_jpeg._encoder",
            ["src/encoder.c", "src/module.c"],
            depends=["src/encoder.h"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")] if LIMITED else [],
            py_limited_api=LIMITED,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
