"""What every test shares."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop the program itself runs on."""
    return "asyncio", {"use_uvloop": True}
