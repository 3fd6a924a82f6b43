"""Numbers and names that are not to be told."""

import pytest

from broadcasts.domain.numbers import DOTS, mask_name, mask_number, masked, pseudonym

KEY = b"k" * 32


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+15551234567", "•••4567"),
        ("12345678", "•••5678"),
        ("600", "•••0"),
        ("7", "•••"),
        ("", ""),
        ("~0123456789abcdef", "~0123456789abcdef"),
    ],
)
def test_a_masked_number_shows_its_last_digits_and_at_most_half(number, shown):
    assert mask_number(number) == shown


def test_a_masked_name_shows_its_first_letter():
    assert [mask_name(name) for name in ("Alice Example", "", "~ab")] == ["A•••", "", "~ab"]


def test_a_pseudonym_is_the_same_for_the_same_text_and_key_alone():
    assert pseudonym("+15550100", KEY) == pseudonym("+15550100", KEY)
    assert pseudonym("+15550100", KEY) != pseudonym("+15550101", KEY)
    assert pseudonym("+15550100", KEY) != pseudonym("+15550100", b"x" * 32)
    assert pseudonym("", KEY) == ""


def test_the_caller_is_hidden_wherever_the_number_stands():
    hidden = masked(
        {
            "caller_number": "+15550100",
            "caller_name": "Alice",
            "called": "600",
            "channel_name": "Local/+15550100@trunk-1",
            "warnings": ["from +15550100"],
            "channel": {
                "name": "Local/+15550100@trunk-1",
                "caller": {"number": "+15550100", "name": "Alice"},
                "connected": {"number": "+15550199", "name": "Bob"},
                "dialplan": {"exten": "600", "priority": 1},
            },
            "claim_ms": 12.5,
        }
    )
    assert hidden == {
        "caller_number": "•••0100",
        "caller_name": "A•••",
        "called": "600",
        "channel_name": "Local/•••0100@trunk-1",
        "warnings": ["from •••0100"],
        "channel": {
            "name": "Local/•••0100@trunk-1",
            "caller": {"number": "•••0100", "name": "A•••"},
            "connected": {"number": "•••0199", "name": "B•••"},
            "dialplan": {"exten": "600", "priority": 1},
        },
        "claim_ms": 12.5,
    }


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("Alice Example", '"Alice Example" <sip:x>', '"A•••" <sip:x>'),
        ("Alice Example", "alice_example hung up", "A••• hung up"),
        ("Alice Example", "ALICE  EXAMPLE", "A•••"),
        ("Alice Example", "Alice Examples, Malice Example", "Alice Examples, Malice Example"),
        ("Straße (Büro)", "an Straße (Büro)", "an S•••)"),
        ("Jo", "Jo", "Jo"),
        ("15551230100", "to 15551230100", "to •••0100"),
        ("~0123456789abcdef", "~0123456789abcdef", "~0123456789abcdef"),
        (" - ", "a - b", "a - b"),
    ],
)
def test_the_caller_s_name_is_hidden_wherever_it_stands(name, text, shown):
    assert masked({"caller_name": name, "app_args": [text]})["app_args"] == [shown]


def test_what_others_are_called_is_told_though_the_caller_is_called_the_same():
    record = {"caller_name": "Sales", "winner": "sales", "status": "sales", "server_name": "sales"}
    assert masked(record) == {**record, "caller_name": "S•••"}


def test_no_party_of_a_channel_is_told_anywhere_in_it():
    hidden = masked(
        {
            "channel": {
                "caller_rdnis": "+15550122222",
                "caller": {"number": "+15550100000", "name": "Alice"},
                "connected": {"number": "+15550199999", "name": "Bob Example"},
                "dialplan": {"app_data": "x,Bob Example,Alice,5550199999,+15550122222"},
                "channelvars": {"CALLERID(all)": '"Alice" <+15550100000>'},
            }
        }
    )["channel"]
    assert hidden["dialplan"]["app_data"] == "x,B•••,A•••,•••9999,•••2222"
    assert hidden["channelvars"] == {"CALLERID(all)": '"A•••" <•••0000>'}


def test_an_extension_is_no_number_to_look_for_in_other_texts():
    record = {"caller_number": "100", "channel_name": "PJSIP/100-1", "called": "100"}
    assert masked(record) == {**record, "caller_number": "•••0"}


def test_what_has_no_number_stays():
    record = {"caller_number": "", "caller_name": "", "channel": {"id": "1.1"}, "reason": "x"}
    assert masked(record) == record


@pytest.mark.parametrize(
    "text",
    [
        "Local/15551230100@in-1",
        "5551230100",
        "tel:+1-555-123-0100",
        "+1 (555) 123.0100",
        "0015551230100",
    ],
)
def test_the_caller_is_masked_in_every_spelling(text):
    record = {"caller_number": "+15551230100", "arguments_given": ["5000", text]}
    told = masked(record)["arguments_given"]
    assert told[0] == "5000"
    assert "555" not in told[1] and told[1].rstrip("@in-1").endswith(f"{DOTS}0100")


def test_other_numbers_stay_where_the_caller_is_masked():
    record = {"caller_number": "+15551230100", "channel_id": "1800000000.4711", "called": "601"}
    assert masked(record) == {**record, "caller_number": f"{DOTS}0100"}


def test_no_number_is_found_where_one_text_ends_and_the_next_begins():
    record = {"caller_number": "+15551230100", "called": "555123", "channel_id": "0100"}
    assert masked(record) == {**record, "caller_number": f"{DOTS}0100"}


def test_a_number_in_one_text_leaves_the_others():
    record = {"caller_number": "+15551230100", "called": "555 123 0100", "channel_id": "0100"}
    told = masked(record)
    assert (told["called"], told["channel_id"]) == (f"{DOTS}0100", "0100")


def test_who_redirected_the_call_is_masked():
    channel = {"caller": {"number": "+15551230100", "name": ""}, "caller_rdnis": "+4930999888"}
    told = masked({"caller_number": "+15551230100", "channel": channel})
    assert told["channel"]["caller_rdnis"] == f"{DOTS}9888"
    assert channel["caller_rdnis"] == "+4930999888", "what was given stays as it is"
