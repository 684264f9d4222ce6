"""Keeps the weekly booking hours of Bitrix24 and ReserveKit in step, both ways."""

__version__ = "0.1.0"
