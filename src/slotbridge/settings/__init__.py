"""The configuration: one file, overruled by variables; read once, whole, and never changed afterwards."""

from slotbridge.settings.limits import Limits
from slotbridge.settings.load import Settings, load_settings
from slotbridge.settings.models import (
    Bitrix24Settings,
    DaemonSettings,
    OAuthSettings,
    PairSettings,
    ReserveKitSettings,
    ResourceTypeSettings,
    StoreSettings,
    SyncSettings,
)

__all__ = [
    "Bitrix24Settings",
    "DaemonSettings",
    "Limits",
    "OAuthSettings",
    "PairSettings",
    "ReserveKitSettings",
    "ResourceTypeSettings",
    "Settings",
    "StoreSettings",
    "SyncSettings",
    "load_settings",
]
