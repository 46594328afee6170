"""Webhooks: what the books add, told to others in order and signed. The verbs are in `webhooks.actions`."""

from .actions import deliveries, endpoint, endpoints, events_after
from .dispatcher import Dispatcher
from .model import ENTRY_BOOKED, Delivery, DeliveryStatus, Endpoint, Event, EventPage
from .refusals import WebhooksRefusal

__all__ = [
    "ENTRY_BOOKED",
    "Delivery",
    "DeliveryStatus",
    "Dispatcher",
    "Endpoint",
    "Event",
    "EventPage",
    "WebhooksRefusal",
    "deliveries",
    "endpoint",
    "endpoints",
    "events_after",
]
