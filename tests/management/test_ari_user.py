"""manage.py ari_user creates and updates, and says what is wrong."""

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command

from broadcasts.models import AriUser, Revision

pytestmark = pytest.mark.django_db


def test_it_creates_a_user_and_keeps_only_a_hash_of_the_password(capsys):
    call_command("ari_user", "ivr", "--password", "s3cret", "--apps", "^ivr-", "--read-only")
    user = AriUser.objects.get(name="ivr")
    assert (user.applications, user.read_only, user.enabled) == ("^ivr-", True, True)
    assert "s3cret" not in user.password_hash
    assert check_password("s3cret", user.password_hash)
    assert capsys.readouterr().out == "ivr: created\n"


def test_it_updates_a_user_of_the_same_name(capsys):
    call_command("ari_user", "ivr", "--password", "old", "--apps", "^ivr-", "--read-only")
    before = Revision.current()
    call_command("ari_user", "ivr", "--password", "new")
    user = AriUser.objects.get()
    assert (user.applications, user.read_only) == ("", False)
    assert check_password("new", user.password_hash)
    assert Revision.current() > before
    assert capsys.readouterr().out.endswith("ivr: updated\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["a:b", "--password", "x"], "name: Use letters"),
        (["ivr", "--password", ""], "password: an empty one"),
        (["ivr", "--password", "x", "--apps", "^(ivr"], "applications: This pattern"),
        (["ivr"], "--password"),
    ],
)
def test_it_says_what_is_wrong_and_keeps_nothing(arguments, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command("ari_user", *arguments)
    assert not AriUser.objects.exists()
