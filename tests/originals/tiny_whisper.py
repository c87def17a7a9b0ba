# SPDX-License-Identifier: BSD-3-Clause
"""A Whisper of random weights with a tokenizer of letters, for what needs a whole model."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import transformers


@cache
def tokenizer() -> Any:
    """Returns a tokenizer of letters."""
    letters = [chr(code) for code in range(33, 127)]
    marks = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>"]
    vocabulary = {token: i for i, token in enumerate([*letters, "Ġ", *marks])}
    return transformers.WhisperTokenizer(vocab=vocabulary, merges=[], pad_token=marks[0])


@cache
def model() -> Any:
    """Returns a Whisper of random weights, large enough that its words depend on the audio."""
    end, start = tokenizer().convert_tokens_to_ids(["<|endoftext|>", "<|startoftranscript|>"])
    torch.manual_seed(0)
    config = transformers.WhisperConfig(
        vocab_size=len(tokenizer()),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_target_positions=32,
        init_std=1.0,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    return transformers.WhisperForConditionalGeneration(config).eval()
