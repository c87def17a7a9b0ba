# SPDX-License-Identifier: BSD-3-Clause
"""What a run is, beside its list: everything that decides on the bytes of its shards.

`run.json` states it, and a run that goes on must state the same.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from specfast._corpus import atomic
from specfast._corpus.errors import CorpusError
from specfast._corpus.formats.catalogue import format_of
from specfast._engine.build import VERSION, build_info
from specfast._spec import checks
from specfast._spec.feature_spec import FeatureSpec, field_names

__all__ = ["MAX_SHARD_BYTES", "MIN_SHARD_BYTES", "RUN_NAME", "RunFile", "Settings", "read_run"]

RUN_NAME = "run.json"
_KIND = "specfast.corpus"
# 1 had shards of one size.
_SCHEMA = 2
MIN_SHARD_BYTES, MAX_SHARD_BYTES = 1 << 10, 1 << 36
_MAX_CHANNEL = 65535


@dataclass(frozen=True)
class Settings:
    """What the user decides.

    Attributes:
        spec: The front end.
        format: The format of shards.
        shard_bytes: How large the features of a shard are to be; a single clip may be larger.
            None: an eighth of all before it, from 4 to 32 MiB.
        resample: Whether clips of another rate than the front end's are resampled, or fail.
        mono: Whether the mean of all channels is used.
        channel: The one channel to use where a clip names none; None: all.

    Raises:
        TypeError, ValueError: A value is not what is accepted.
    """

    spec: FeatureSpec
    format: str = "safetensors"
    shard_bytes: int | None = None
    resample: bool = False
    mono: bool = False
    channel: int | None = None

    def __post_init__(self) -> None:
        format_of(self.format)
        if self.shard_bytes is not None:
            checks.integer(
                "shard_bytes", self.shard_bytes, minimum=MIN_SHARD_BYTES, maximum=MAX_SHARD_BYTES
            )
        checks.strict_flag("resample", self.resample)
        checks.strict_flag("mono", self.mono)
        if self.channel is not None:
            checks.integer("channel", self.channel, minimum=0, maximum=_MAX_CHANNEL)
            if self.mono:
                raise ValueError(
                    "`mono` and `channel` exclude each other. "
                    f"Received: mono={self.mono}, channel={self.channel}"
                )


@dataclass(frozen=True)
class RunFile:
    """What `run.json` says.

    Attributes:
        settings: See there.
        num_clips, list_sha256: The list.
        num_shards: How many shards it was cut into.
        plan_sha256: The cuts.
        version: The version of specfast.
        isa: The instruction set, on which the last digits of results depend.
        resampler: The version of soxr; None: nothing is resampled.
    """

    settings: Settings
    num_clips: int
    list_sha256: str
    num_shards: int = 0
    plan_sha256: str = ""
    version: str = VERSION
    isa: str = field(default_factory=lambda: str(build_info()["isa"]))
    resampler: str | None = None

    def to_json(self) -> str:
        """Returns what the file holds."""
        settings = asdict(self.settings)
        del settings["spec"]
        values = {
            "format": _KIND,
            "schema": _SCHEMA,
            "specfast": self.version,
            "isa": self.isa,
            "resampler": self.resampler,
            "list": {"num_clips": self.num_clips, "sha256": self.list_sha256},
            "plan": {"num_shards": self.num_shards, "sha256": self.plan_sha256},
            "settings": settings,
            "fingerprint": self.settings.spec.fingerprint(),
            "front": json.loads(self.settings.spec.to_json()),
        }
        return json.dumps(values, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: bytes) -> RunFile:
        """Returns what a file says.

        Raises:
            ValueError, TypeError, KeyError: It is no such file.
        """
        values = json.loads(text)
        if values["format"] != _KIND or values["schema"] != _SCHEMA:
            raise ValueError(
                f"it states schema {values['schema']!r}, and must state {_SCHEMA}, of "
                f"{values['format']!r}, and must be of {_KIND!r}"
            )
        return cls(
            settings=Settings(FeatureSpec.from_dict(values["front"]), **values["settings"]),
            num_clips=values["list"]["num_clips"],
            list_sha256=values["list"]["sha256"],
            num_shards=values["plan"]["num_shards"],
            plan_sha256=values["plan"]["sha256"],
            version=values["specfast"],
            isa=values["isa"],
            resampler=values["resampler"],
        )

    def write(self, out: Path) -> None:
        """Writes the file into the folder of a run."""
        text = self.to_json().encode()
        atomic.write_whole(out / RUN_NAME, lambda stream: stream.write(text))

    def check_is_continued_by(self, new: RunFile, out: Path) -> None:
        """Refuses to mix two runs in one folder.

        Raises:
            CorpusError: The new one differs in something, which the message names.
        """
        for what, mine, others in self._differences(new):
            raise CorpusError(
                f"{str(out)!r} holds a run with {what} {mine}, and this one has {others}: name "
                "another folder, or repeat the command that began there"
            )

    def _differences(self, new: RunFile) -> list[tuple[str, Any, Any]]:
        mine, others = self.settings.spec, new.settings.spec
        fields = () if mine.fingerprint() == others.fingerprint() else field_names()
        pairs: list[tuple[str, Any, Any]] = [
            (
                f"the front end's `{name}`",
                checks.short(getattr(mine, name)),
                checks.short(getattr(others, name)),
            )
            for name in fields
        ]
        pairs += [
            (f"`{name}`", getattr(self.settings, name), getattr(new.settings, name))
            for name in ("format", "shard_bytes", "resample", "mono", "channel")
        ]
        pairs += [
            ("a list of this many clips:", self.num_clips, new.num_clips),
            ("a list of other clips, of SHA-256", self.list_sha256, new.list_sha256),
            ("specfast", self.version, new.version),
            ("the instruction set (SPECFAST_ISA)", self.isa, new.isa),
            ("soxr", self.resampler, new.resampler),
        ]
        return [pair for pair in pairs if pair[1] != pair[2]]


def read_run(out: Path) -> RunFile | None:
    """Returns what the folder of a run states; None where there is no run.

    Raises:
        CorpusError: The file cannot be read, or is none.
    """
    try:
        return RunFile.from_json((out / RUN_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CorpusError(f"cannot read {str(out / RUN_NAME)!r}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise CorpusError(
            f"{str(out / RUN_NAME)!r} is no file of a run that this version of specfast "
            f"understands: {checks.clipped(str(error))}"
        ) from error
