"""ISO 20022: payments and statements as messages, in and out. The verbs are in `iso20022.actions`."""

from .desk import MessageDesk
from .dispatcher import Dispatcher
from .model import DeliveryStatus, Direction, Message
from .settings import Iso20022Settings
from .store import message, messages

__all__ = [
    "DeliveryStatus",
    "Direction",
    "Dispatcher",
    "Iso20022Settings",
    "Message",
    "MessageDesk",
    "message",
    "messages",
]
