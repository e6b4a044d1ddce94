"""MTData2: every value as the vendor's own programme decoded it, every format as its document defines it."""

import json
import re
import struct

import pytest

from hal.errors import DeviceDataError
from hal.imu.xbus_data import Item, decode

_ITEM = re.compile(r"\((\w+)((?:\|\w+)*), (\d+) bytes, (.*?)\)(?=, \(\w+[|,]|})")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?![\w:])")


def told(text):
    """What the vendor's text says: (name, marks such as Float and ENU, size in bytes, numbers as written)."""
    for name, marks, size, rest in _ITEM.findall(text):
        yield name, set(marks.split("|")[1:]), int(size), _NUMBER.findall(re.sub(r"q\d:", "", rest))


@pytest.fixture
def vectors(data):
    return json.loads((data / "xbus/mtdata2-vectors.json").read_text())["vectors"]


def test_all_six_real_messages_decode_to_every_value_in_their_text(vectors):
    assert len(vectors) == 6
    compared = 0
    for vector in vectors:
        items = decode(bytes.fromhex(vector["payload_hex"]))
        expected = list(told(vector["decoded"]))
        assert len(expected) == vector["decoded"].count(" bytes, ")
        assert [item.name for item in items] == [name for name, *_ in expected]
        for item, (name, marks, _, numbers) in zip(items, expected, strict=True):
            assert ("Float" in marks) == (item.precision == "float32") or name == "BaroPressure"
            assert marks - {"Float"} <= {item.coordinates}
            if name == "StatusWord":
                assert f"{item.values[0]:032b}" == numbers[0]
                compared += 1
                continue
            assert len(item.values) == len(numbers)
            for value, number in zip(item.values, numbers, strict=True):
                places = len(number.partition(".")[2])
                assert f"{value:.{places}f}" == number, (name, value, number)
                compared += 1
    assert compared == 27 + 26 + 23 + 28 + 27 + 7


# Worked out by hand: 1.5 is 1.5 x 2^20 = 180000; -1.5 is FFE80000 in two's complement. In 16.32 the 32 bits behind the
# point come first: 1.5 is 80000000 0001, and -0.25 is -1 + 0.75, so C0000000 FFFF.
@pytest.mark.parametrize(
    ("payload", "value", "precision"),
    [
        ("08 10 04 41 BC 00 00", 23.5, "float32"),
        ("08 11 04 00 18 00 00", 1.5, "fixed12.20"),
        ("08 11 04 FF E8 00 00", -1.5, "fixed12.20"),
        ("08 12 06 80 00 00 00 00 01", 1.5, "fixed16.32"),
        ("08 12 06 C0 00 00 00 FF FF", -0.25, "fixed16.32"),
        ("08 13 08 3F F8 00 00 00 00 00 00", 1.5, "float64"),
    ],
)
def test_each_precision_is_read_as_the_document_defines_it(payload, value, precision):
    [item] = decode(bytes.fromhex(payload))
    assert item == Item(item.identifier, "Temperature", (value,), precision)


@pytest.mark.parametrize(("identifier", "world"), [(0x2030, "ENU"), (0x2034, "NED"), (0x2038, "NWU")])
def test_the_identifier_names_the_coordinate_system(identifier, world):
    [item] = decode(struct.pack(">HB3f", identifier, 12, 1.0, 2.0, 3.0))
    assert (item.name, item.coordinates, item.values) == ("EulerAngles", world, (1.0, 2.0, 3.0))


def test_whole_numbers_of_every_width():
    payload = (
        "10 10 0C 00 00 00 09 07 E8 02 1D 17 3B 3A 07 10 70 04 00 00 00 05 E0 10 01 03 E0 40 01 C4 E0 80 04 00 00 00 01"
    )
    assert [(item.name, item.values) for item in decode(bytes.fromhex(payload))] == [
        ("UtcTime", (9, 2024, 2, 29, 23, 59, 58, 7)),
        ("SampleTimeCoarse", (5,)),
        ("StatusByte", (3,)),
        ("Rssi", (-60,)),
        ("DeviceId", (1,)),
    ]


def test_an_unknown_item_keeps_its_bytes_and_does_not_hide_the_next():
    assert decode(bytes.fromhex("7F 10 02 AB CD 10 20 02 00 05")) == [
        Item(0x7F10, "0x7F10", b"\xab\xcd"),
        Item(0x1020, "PacketCounter", (5,)),
    ]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("10 20 03 00 05", "past the end"),
        ("10", "past the end"),
        ("10 20 01 05", "PacketCounter .0x1020. cannot have 1 bytes"),
        ("40 21 06 00 00 00 00 00 00", "Acceleration .0x4021. cannot have 6 bytes"),
        ("20 1C 10" + " 00" * 16, "Quaternion .0x201C. cannot have 16 bytes"),
        ("E0 80 03 00 00 01", "DeviceId"),
    ],
)
def test_a_message_that_contradicts_the_protocol_is_one_clear_error(payload, said):
    with pytest.raises(DeviceDataError, match=said):
        decode(bytes.fromhex(payload))
