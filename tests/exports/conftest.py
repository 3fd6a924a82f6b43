from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folders(settings, tmp_path: Path) -> Path:
    """Keep packages and reports of a test to itself."""
    settings.EXPORTS_DIR, settings.REPORTS_DIR = tmp_path / "exports", tmp_path / "reports"
    return tmp_path
