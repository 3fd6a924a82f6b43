"""Every change of the configuration is counted, so that every process notices it."""

import pytest

from broadcasts.models import Defaults, Revision
from tests.builders import make_preset, make_rule, make_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted():
    """Tell whether something was counted since the last time that it was asked."""
    known = [Revision.current()]

    def counted() -> bool:
        known.append(Revision.current())
        return known[-1] > known[-2]

    return counted


def test_presets_rules_defaults_and_servers_are_counted(counted):
    for make in (make_server, make_preset, make_rule, Defaults.of_installation):
        row = make()
        assert counted(), f"{row!r} was added"
    for row in (make_rule("other"), Defaults.of_installation(), make_server("other")):
        row.save()
        assert counted(), f"{row!r} was changed"
        row.delete()
        assert counted(), f"{row!r} was removed"


def test_a_rule_goes_behind_the_others():
    assert [make_rule("first").position, make_rule("second").position] == [1, 2]


def test_there_is_one_row_of_defaults_for_the_installation():
    assert Defaults.of_installation() == Defaults.of_installation()
    assert Defaults.objects.count() == 1
