# SPDX-License-Identifier: BSD-3-Clause
"""What specfast costs besides the time of long calls: memory, import, wheel, calls, pushes."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import streaming
from .handle import WorkerError, WorkerHandle, cpus_for, environment
from .peers import OURS, PeerInfo
from .runner import Say
from .workloads import WORKLOADS

_IMPORTS = 15
_MEMORY_SECONDS = 300.0
_ROOT = Path(__file__).resolve().parent.parent
_IMPORT_TIMER = (
    "import numpy, time; start = time.perf_counter(); import specfast; "
    "print(time.perf_counter() - start)"
)


def run(peers: Sequence[PeerInfo], say: Say) -> dict[str, Any]:
    """All figures; memory also of the peers that do the whole work of W6."""
    say("memory of one hour (W6), import, wheel, call overhead, pushes (W5)")
    memory = _memory([p for p in peers if p.kind in ("ours", "keras", "peer")], say)
    wheel_bytes, wheel_source = _wheel()
    return {
        "memory_bytes": memory,
        "extra_memory_bytes": memory.get(OURS),
        "import_s": statistics.median(_child(["-c", _IMPORT_TIMER]) for _ in range(_IMPORTS)),
        "wheel_bytes": wheel_bytes,
        "wheel_source": wheel_source,
        **_overhead(),
        **_pushes(),
    }


def _memory(peers: Sequence[PeerInfo], say: Say) -> dict[str, int]:
    """High-water mark of W6 beyond input and output, each peer in a fresh process."""
    hour = next(w for w in WORKLOADS if w.key == "W6")
    extra = {}
    for peer in peers:
        if not peer.takes(hour.key):
            continue
        try:
            worker = WorkerHandle(peer, 1, cpus_for(1))
        except WorkerError:
            continue  # the table tells which peers do not start
        try:
            answer = worker.ask(_MEMORY_SECONDS, "memory", seconds=hour.seconds)
            extra[peer.key] = min(answer["extra_bytes"].values())
        except WorkerError as error:
            say(f"  memory, {peer.heading}: {error}")
        finally:
            worker.close()
    return extra


def _overhead() -> dict[str, float]:
    figures: dict[str, float] = _child(["-m", "benchmarks.tiny"])
    return figures


def _pushes() -> dict[str, float]:
    return {**_child(["-m", "benchmarks.streaming"]), **streaming.compiled(_ROOT)}


def _child(arguments: list[str]) -> Any:
    """What a fresh single-threaded Python prints, as JSON."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=_ROOT,
        env={**os.environ, **environment(1)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


def _wheel() -> tuple[int | None, str]:
    """Bytes of the wheel in build/wheel or dist, else of the installed files when zipped."""
    for folder in ("build/wheel", "dist"):
        wheels = sorted((_ROOT / folder).glob("specfast-*.whl"))
        if wheels:
            return wheels[-1].stat().st_size, "file"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in importlib.metadata.files("specfast") or []:
            path = Path(str(file.locate()))
            if path.is_file() and path.suffix != ".pyc":
                archive.write(path, str(file))
    return len(buffer.getvalue()), "installed files, zipped"
