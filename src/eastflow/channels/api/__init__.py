"""HTTP under `/v1`: the bank's operations as JSON, for programs that hold a key."""

from .app import create_app
from .keys import ApiKey, Scope
from .operation import Answer, Call, Operation, Services
from .refusals import ApiRefusal
from .server import serve, server
from .settings import ApiSettings

__all__ = [
    "Answer",
    "ApiKey",
    "ApiRefusal",
    "ApiSettings",
    "Call",
    "Operation",
    "Scope",
    "Services",
    "create_app",
    "serve",
    "server",
]
