"""Xbus framing: what is a message is found whatever surrounds it; what is none is counted."""

import json
import random

import pytest

from hal.imu.xbus_frames import FrameParser, Message, Mid, encode

# Worked out by hand from the vendor's document: FA, bus identifier, message identifier, length, data, and the byte
# that brings the sum behind FA to 0 modulo 256. FF + 30 + 00 = 12F, so D1; and so on.
GO_TO_CONFIG = bytes.fromhex("FA FF 30 00 D1")
GO_TO_CONFIG_ACK = bytes.fromhex("FA FF 31 00 D0")
WAKE_UP = bytes.fromhex("FA FF 3E 00 C3")
WAKE_UP_ACK = bytes.fromhex("FA FF 3F 00 C2")
ERROR_PARAMETER = bytes.fromhex("FA FF 42 01 21 9D")
DEVICE_ID = bytes.fromhex("FA FF 01 04 03 80 00 0F 6A")
COUNTER_OF_SENSOR_7 = bytes.fromhex("FA 07 36 05 10 20 02 A6 55 91")
CONFIGURE_QUATERNION_100_HZ = bytes.fromhex("FA 07 C0 04 20 10 00 64 A1")
HAND_WORKED = {
    GO_TO_CONFIG: (0xFF, 0x30, b""),
    GO_TO_CONFIG_ACK: (0xFF, 0x31, b""),
    WAKE_UP: (0xFF, 0x3E, b""),
    WAKE_UP_ACK: (0xFF, 0x3F, b""),
    ERROR_PARAMETER: (0xFF, 0x42, b"\x21"),
    DEVICE_ID: (0xFF, 0x01, bytes.fromhex("03 80 00 0F")),
    COUNTER_OF_SENSOR_7: (7, 0x36, bytes.fromhex("10 20 02 A6 55")),
    CONFIGURE_QUATERNION_100_HZ: (7, 0xC0, bytes.fromhex("20 10 00 64")),
}


@pytest.fixture
def payloads(data):
    vectors = json.loads((data / "xbus/mtdata2-vectors.json").read_text())["vectors"]
    return [bytes.fromhex(vector["payload_hex"]) for vector in vectors]


@pytest.mark.parametrize(("frame", "fields"), HAND_WORKED.items())
def test_a_message_is_encoded_as_the_document_says(frame, fields):
    assert encode(*fields) == frame


@pytest.mark.parametrize("frame", [WAKE_UP, ERROR_PARAMETER, DEVICE_ID, GO_TO_CONFIG_ACK, COUNTER_OF_SENSOR_7])
def test_a_message_of_a_device_is_parsed_as_the_document_says(frame):
    assert FrameParser().feed(frame) == [Message(*HAND_WORKED[frame])]


def test_254_bytes_have_a_short_length_and_255_an_extended_one():
    assert encode(1, 0x36, bytes(254))[:4] == bytes.fromhex("FA 01 36 FE")
    assert encode(1, 0x36, bytes(255))[:6] == bytes.fromhex("FA 01 36 FF 00 FF")


@pytest.mark.parametrize("size", [0, 1, 254, 255, 256, 2048])
def test_every_length_up_to_the_limit_comes_back(size):
    message = Message(1, Mid.ERROR, bytes(size))
    assert FrameParser().feed(encode(*message)) == [message]


def test_a_longer_claim_than_the_protocol_allows_is_no_message():
    parser = FrameParser()
    assert parser.feed(encode(1, Mid.ERROR, bytes(2049)) + WAKE_UP) == [Message(0xFF, 0x3E, b"")]
    assert parser.discarded_bytes == 2049 + 7


def test_real_messages_survive_being_cut_at_every_byte(payloads):
    for payload in payloads:
        frame = encode(0xFF, Mid.MT_DATA2, payload)
        for cut in range(len(frame) + 1):
            parser = FrameParser()
            assert parser.feed(frame[:cut]) + parser.feed(frame[cut:]) == [Message(0xFF, Mid.MT_DATA2, payload)]
            assert parser.discarded_bytes == 0


def test_real_messages_survive_arriving_byte_by_byte_and_all_at_once(payloads):
    expected = [Message(number, Mid.MT_DATA2, payload) for number, payload in enumerate(payloads, start=1)]
    stream = b"".join(encode(*message) for message in expected)
    parser = FrameParser()
    assert [message for at in range(len(stream)) for message in parser.feed(stream[at : at + 1])] == expected
    assert FrameParser().feed(stream) == expected


def test_real_messages_survive_noise_before_them_cut_at_every_byte(payloads):
    """The noise is every beginning of a real message: the worst noise there is."""
    for payload in payloads:
        frame = encode(3, Mid.MT_DATA2, payload)
        whole = Message(3, Mid.MT_DATA2, payload)
        for cut in range(1, len(frame)):
            parser = FrameParser()
            found = parser.feed(frame[:cut] + frame + frame) + parser.flush()
            assert found == [whole, whole], cut
            assert parser.discarded_bytes == cut


def test_real_messages_survive_random_noise_on_both_sides(payloads):
    chance = random.Random(4)
    for payload in payloads:
        frame = encode(3, Mid.MT_DATA2, payload)
        for size in range(200):
            parser = FrameParser()
            noise = chance.randbytes(size)
            found = parser.feed(noise + frame + noise) + parser.flush()
            assert found == [Message(3, Mid.MT_DATA2, payload)]
            assert parser.discarded_bytes == 2 * size


def test_real_messages_joined_and_wrapped_in_noise_survive_a_cut_at_every_byte(payloads):
    chance = random.Random(6)
    expected = [Message(number, Mid.MT_DATA2, payload) for number, payload in enumerate(payloads, start=1)]
    stream = b"".join(chance.randbytes(chance.randrange(1, 20)) + encode(*message) for message in expected)
    stream += chance.randbytes(10)
    for cut in range(len(stream) + 1):
        parser = FrameParser()
        assert parser.feed(stream[:cut]) + parser.feed(stream[cut:]) + parser.flush() == expected, cut
        assert parser.discarded_bytes == len(stream) - sum(len(encode(*message)) for message in expected)


def test_any_changed_byte_costs_its_own_message_and_no_other(payloads):
    frame = encode(1, Mid.MT_DATA2, payloads[5])
    for at in range(len(frame)):
        damaged = bytearray(frame)
        damaged[at] ^= 0x40
        parser = FrameParser()
        found = parser.feed(frame + bytes(damaged) + frame + frame) + parser.flush()
        assert found == [Message(1, Mid.MT_DATA2, payloads[5])] * 3, at
        assert parser.discarded_bytes == len(frame)


def test_a_message_inside_the_data_of_a_damaged_one_is_found():
    damaged = bytearray(encode(2, Mid.ERROR, WAKE_UP + b"\x00\x00"))
    damaged[-1] ^= 1
    parser = FrameParser()
    assert parser.feed(bytes(damaged)) == [Message(0xFF, Mid.WAKE_UP, b"")]
    assert (parser.bad_checksums, parser.discarded_bytes) == (1, len(damaged) - len(WAKE_UP))


def test_measurement_data_whose_items_do_not_add_up_is_no_message_despite_its_checksum():
    parser = FrameParser()
    assert parser.feed(encode(2, Mid.MT_DATA2, bytes.fromhex("10 20 03 A6 55"))) == []
    assert parser.discarded_bytes == 10


def test_silence_frees_a_message_that_a_false_beginning_held_back():
    parser = FrameParser()
    false_beginning = bytes.fromhex("FA FF 42 F0")
    assert parser.feed(false_beginning + WAKE_UP) == []
    assert parser.pending
    assert parser.flush() == [Message(0xFF, Mid.WAKE_UP, b"")]
    assert (parser.discarded_bytes, parser.pending) == (4, b"")


def test_every_byte_is_either_returned_or_counted():
    chance = random.Random(7)
    parser = FrameParser()
    fed = returned = 0
    for _ in range(2000):
        piece = chance.choice([chance.randbytes(30), WAKE_UP, b"\xfa" * 5, COUNTER_OF_SENSOR_7[: chance.randrange(9)]])
        fed += len(piece)
        returned += sum(len(encode(*message)) for message in parser.feed(piece))
    returned += sum(len(encode(*message)) for message in parser.flush())
    assert fed == returned + parser.discarded_bytes
