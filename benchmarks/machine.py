# SPDX-License-Identifier: BSD-3-Clause
"""What a reader must know of the machine to judge the figures.  Linux."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

_VECTOR_FLAGS = ("sse2", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "asimd", "sve")


def describe() -> dict[str, Any]:
    """Processor, cores, caches, memory, page and clock settings, operating system, Python."""
    cpuinfo = _read("/proc/cpuinfo")
    flags = _field(cpuinfo, "flags") or _field(cpuinfo, "Features") or ""
    return {
        "processor": _processor(cpuinfo),
        "cores": len(os.sched_getaffinity(0)),
        "vector_flags": [flag for flag in _VECTOR_FLAGS if flag in flags.split()],
        "caches": _caches(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "huge_pages": _chosen(_read("/sys/kernel/mm/transparent_hugepage/enabled")),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "unknown",
        "virtual_machine": "hypervisor" in flags.split(),
        "system": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
    }


def summary(machine: dict[str, Any]) -> str:
    """One line for headings."""
    virtual = ", virtual machine" if machine["virtual_machine"] else ""
    widest = machine["vector_flags"][-1] if machine["vector_flags"] else "no vector flags"
    return f"{machine['processor']}, {machine['cores']} cores{virtual}, {widest}"


def load_average() -> float:
    """Processes that wanted a core during the last minute."""
    return round(os.getloadavg()[0], 2)


def _processor(cpuinfo: str) -> str:
    name = _field(cpuinfo, "model name") or platform.machine()
    family, model = _field(cpuinfo, "cpu family"), _field(cpuinfo, "model")
    return f"{name} (family {family}, model {model})" if family else name


def _caches() -> dict[str, str]:
    caches = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = _read(index / "type")
        name = f"L{_read(index / 'level')}" + {"Data": "d", "Instruction": "i"}.get(kind, "")
        caches[name] = _read(index / "size")
    return caches


def _field(cpuinfo: str, name: str) -> str | None:
    found = re.search(rf"^{name}\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    return found.group(1).strip() if found else None


def _chosen(setting: str) -> str:
    found = re.search(r"\[(\w+)\]", setting)
    return found.group(1) if found else "unknown"


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
