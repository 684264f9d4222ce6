"""The ReserveKit API: one method per endpoint that a key can call, and nothing that judges what is read."""

from slotbridge.reservekit.client import ReserveKitClient
from slotbridge.reservekit.models import Booking, Customer, Service

__all__ = ["Booking", "Customer", "ReserveKitClient", "Service"]
