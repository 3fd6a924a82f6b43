"""What the documents promise about files and settings."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
SETTINGS = (ROOT / "broadcast_project" / "settings.py").read_text()


def test_every_variable_that_is_read_is_in_the_deployment_guide() -> None:
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', SETTINGS))
    described = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "deployment.md").read_text()))
    assert {"DATABASE_URL", "BROADCAST_RESCUE"} <= read
    assert not read - described, "docs/deployment.md does not tell of these"


def test_every_broadcast_setting_is_explained_with_the_rules() -> None:
    read = set(re.findall(r'"(BROADCAST_[A-Z_]+)"', SETTINGS))
    explained = set(
        re.findall(r"`(BROADCAST_[A-Z_]+)`", (ROOT / "docs" / "claiming.md").read_text())
    )
    assert read == explained


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing
