"""Serving the application with uvicorn on uvloop and httptools."""

from __future__ import annotations

import gc

import uvicorn
from fastapi import FastAPI

GRACE_SECONDS = 10


def server(app: FastAPI, *, host: str = "127.0.0.1", port: int = 8080) -> uvicorn.Server:
    """Without an access log, which would cost more than many of the requests it tells of."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http="httptools",
            ws="none",
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


async def serve(running: uvicorn.Server) -> None:
    """Until the process is told to end; requests at work are finished first."""
    # What stands now stands until the end: looking through it again and again would only hold up answers.
    gc.collect()
    gc.freeze()
    await running.serve()
