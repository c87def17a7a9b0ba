# SPDX-License-Identifier: BSD-3-Clause
"""The C and C++ library for Conan 2, from a source release or from a clone that was built once."""

from __future__ import annotations

import re
from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rm

ROOT = Path(__file__).resolve().parents[2]


class Specfast(ConanFile):
    name = "specfast"
    description = (
        "STFT and mel spectrograms with the numbers of Keras, at the speed of the machine"
    )
    license = "BSD-3-Clause"
    topics = ("audio", "stft", "spectrogram", "mel", "simd")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "openmp": [True, False]}
    default_options = {"shared": False, "fPIC": True, "openmp": False}
    implements = ["auto_shared_fpic"]

    def set_version(self) -> None:
        text = load(self, str(ROOT / "CMakeLists.txt"))
        self.version = re.search(r"project\(specfast VERSION (\S+)", text)[1]

    def export_sources(self) -> None:
        # pocketfft's header is that of the source release: nothing is fetched.
        for pattern in ("CMakeLists.txt", "LICENSE", "THIRD_PARTY_NOTICES.md", "cmake/*", "cpp/*",
                        "build/pocketfft/*"):  # fmt: skip
            copy(self, pattern, str(ROOT), self.export_sources_folder)

    def validate(self) -> None:
        check_min_cppstd(self, 17)
        if self.settings.compiler not in ("gcc", "clang", "apple-clang"):
            raise ConanInvalidConfiguration(
                f"specfast needs GCC or Clang (vector extensions), not {self.settings.compiler}"
            )

    def layout(self) -> None:
        cmake_layout(self, build_folder="build/conan")

    def generate(self) -> None:
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["SPECFAST_OPENMP"] = bool(self.options.openmp)
        toolchain.generate()

    def build(self) -> None:
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self) -> None:
        CMake(self).install()
        for name in ("LICENSE", "THIRD_PARTY_NOTICES.md", "LICENSE.md"):
            for folder in (self.source_folder, f"{self.source_folder}/build/pocketfft"):
                copy(self, name, folder, f"{self.package_folder}/licenses")
        # The build makes both kinds; its CMake package takes the one that is there.
        for pattern in ("libspecfast.a", "specfast-static*") if self.options.shared else (
            "*.so*", "*.dylib", "*.dll*", "specfast-shared*"):  # fmt: skip
            rm(self, pattern, self.package_folder, recursive=True)

    def package_info(self) -> None:
        self.cpp_info.libs = ["specfast"]
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.set_property("pkg_config_name", "specfast")
        self.cpp_info.builddirs = ["lib/cmake/specfast"]
        if self.settings.os == "Linux":
            self.cpp_info.system_libs = ["pthread", "dl", "m"]
        if self.options.openmp and not self.options.shared:
            self.cpp_info.exelinkflags = self.cpp_info.sharedlinkflags = ["-fopenmp"]
