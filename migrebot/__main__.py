"""The door: `python -m migrebot` is the same as `migrebot`."""

from migrebot.cli import main

if __name__ == "__main__":
    main()
