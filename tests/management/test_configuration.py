"""manage.py export_configuration and import_configuration."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from broadcasts.models import Preset
from tests.builders import make_preset

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize("file_format", ["yaml", "json"])
def test_what_is_printed_can_be_imported(file_format, tmp_path):
    make_preset("vip")
    path = tmp_path / "presets"
    path.write_text(run("export_configuration", "--format", file_format))
    Preset.objects.all().delete()
    assert "added preset vip" in run("import_configuration", str(path))
    assert Preset.objects.get().rounds[0]["app_filter"] == "^vip-"


def test_a_dry_run_shows_the_difference_field_by_field(tmp_path):
    make_preset("vip", args="sales")
    path = tmp_path / "presets.yaml"
    path.write_text(run("export_configuration").replace("args: sales", "args: support"))
    assert run("import_configuration", str(path), "--dry-run").splitlines() == [
        "changed preset vip",
        "    args: 'sales' → 'support'",
        "0 added, 1 changed, 0 removed, 0 unchanged; nothing was changed (dry run)",
    ]
    assert Preset.objects.get().args == "sales"


def test_the_reason_is_kept(tmp_path):
    path = tmp_path / "presets.yaml"
    path.write_text("presets: [{name: vip}]")
    run("import_configuration", str(path), "--reason", "as agreed")
    assert Preset.history.get().history_change_reason == "as agreed"


def test_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("presets: [{name: vip}]"))
    assert "added preset vip" in run("import_configuration", "-")


def test_what_cannot_be_used_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "presets.yaml"
    path.write_text("presets: [{name: vip, args: 'a,b'}]")
    with pytest.raises(CommandError, match="preset vip: args: argument 1"):
        run("import_configuration", str(path))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        run("import_configuration", str(tmp_path / "missing"))
