"""The Bitrix24 REST API, as far as slots need it."""

from slotbridge.bitrix24.client import Bitrix24Client
from slotbridge.bitrix24.models import Resource, SlotsWritten

__all__ = ["Bitrix24Client", "Resource", "SlotsWritten"]
