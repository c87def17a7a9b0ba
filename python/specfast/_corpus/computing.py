# SPDX-License-Identifier: BSD-3-Clause
"""From a clip of the list to its features, or to the reason why it has none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from specfast._corpus.decoding import Decoder
from specfast._corpus.formats.interface import Clip
from specfast._corpus.item import Item
from specfast._corpus.settings import Settings
from specfast._corpus.summary import Failure
from specfast.audio import AudioError
from specfast.layers.features import restored

__all__ = ["Computer", "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What became of a clip: features, or a failure; beside either, a remark on its file."""

    clip: Clip | None = None
    failure: Failure | None = None
    remark: Failure | None = None


# Making one takes as long as two clips, and the next shard uses the same.  Calls of one from
# several threads do not disturb each other.
_restored = lru_cache(maxsize=2)(restored)


class Computer:
    """Computes clips one by one: what a clip gives depends on no other."""

    def __init__(self, settings: Settings, num_threads: int) -> None:
        self._spec = settings.spec
        self._decoder = Decoder(settings)
        # The user has been warned of bands without a bin where the run was started.
        self._extractor = _restored(settings.spec, num_threads)

    def outcome_of(self, item: Item) -> Outcome:
        """Returns what becomes of a clip.

        Raises:
            ImportError: A package is missing, so that every clip would fail.
        """
        try:
            return self._computed(item)
        except ImportError:
            raise
        except AudioError as error:
            reason = str(error)
        except MemoryError:
            reason = f"not enough memory for {item.path!r}"
        except Exception as error:  # no file, however strange, ends a run
            reason = f"{type(error).__name__}: {error}"
        return Outcome(failure=Failure(item.id, item.path, reason))

    def _computed(self, item: Item) -> Outcome:
        sound = self._decoder.sound_of(item)
        signals = sound.samples.T
        # As the command `mel`: one channel is one signal, several are a batch.
        values = self._extractor(signals[0] if len(signals) == 1 else signals)
        if values.size == 0:
            raise AudioError(
                f"{item.path!r} is too short: the front end makes no frame of its "
                f"{len(sound.samples)} samples"
            )
        frames_first = self._spec.layout == "frames_first"
        clip = Clip(
            item,
            np.ascontiguousarray(values),
            frames=values.shape[-2 if frames_first else -1],
            seconds=sound.seconds,
            rate=sound.rate,
            frames_first=frames_first,
        )
        remark = Failure(item.id, item.path, sound.remark) if sound.remark else None
        return Outcome(clip=clip, remark=remark)
