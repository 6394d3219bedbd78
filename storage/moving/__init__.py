"""Moves everything from one database to another, whatever kind each is: begun again after a kill, it goes on."""

from storage.moving.move import Report, move
from storage.moving.side import Side

__all__ = ["Report", "Side", "move"]
