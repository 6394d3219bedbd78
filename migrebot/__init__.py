"""Migrebot: a headache diary and a reminder service that answers alike on every channel."""

from importlib.metadata import version

__version__ = version("migrebot")
