"""The commands."""

import click

from migrebot import __version__


@click.group()
@click.version_option(__version__, package_name="migrebot")
def main() -> None:
    """A self-hosted headache diary and reminder bot."""
