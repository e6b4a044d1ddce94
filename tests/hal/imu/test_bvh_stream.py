"""The BVH broadcast: frames of text and of bytes, whatever surrounds them, and what they say of the body."""

import struct

import numpy as np
import pytest

from hal.imu.bvh_stream import JOINT_OF_SEGMENT, LONGEST_TEXT, BinaryParser, Stillness, TextParser, orientations
from hal.types import SEGMENTS

RIGHT_ARM, RIGHT_FOREARM = 14, 15


def numbers(displaced=True, reference=False, arm=(0.0, 0.0, 0.0)):
    """Values of a frame: every displacement is 5, every angle 0 but for the right upper arm's."""
    frame = [0.0] * 6 * reference
    for joint in range(59):
        if joint == 0 or displaced:
            frame += [5.0, 5.0, 5.0]
        frame += arm if joint == RIGHT_ARM else (0.0, 0.0, 0.0)
    return frame


def text(values, head="0 Patient "):
    return (head + " ".join(f"{value:.3f}" for value in values) + " ||\r\n").encode()


def binary(values, index=1, displaced=1, reference=0, avatar=0):
    """By the vendor's structure: DDFF, version, count, two flags, avatar, name, index, three reserved, EEFF."""
    header = bytes.fromhex("FF DD") + bytes.fromhex("00 00 01 01") + struct.pack("<H", len(values))
    header += bytes([displaced, reference]) + struct.pack("<I", avatar) + b"Patient".ljust(32, b"\0")
    header += struct.pack("<I", index) + bytes(12) + bytes.fromhex("FF EE")
    assert len(header) == 64
    return header + struct.pack(f"<{len(values)}f", *values)


FORMS = [(TextParser, text, "text"), (BinaryParser, binary, "binary")]


@pytest.mark.parametrize(("parser", "frame"), [form[:2] for form in FORMS], ids=[form[2] for form in FORMS])
class TestEveryForm:
    def test_a_frame_cut_anywhere_is_found_once_it_is_whole(self, parser, frame):
        whole = frame(numbers(arm=(10.0, 20.0, 30.0)))
        for cut in range(0, len(whole), 7):
            reader = parser()
            [found] = reader.feed(whole[:cut]) + reader.feed(whole[cut:])
            assert found.angles[RIGHT_ARM].tolist() == [10.0, 20.0, 30.0]
            assert (reader.frames, reader.malformed, reader.discarded_bytes) == (1, 0, 0)

    def test_many_frames_at_once_come_in_order(self, parser, frame):
        stream = b"".join(frame(numbers(arm=(float(number), 0.0, 0.0))) for number in range(5))
        assert [found.angles[RIGHT_ARM, 0] for found in parser().feed(stream)] == [0.0, 1.0, 2.0, 3.0, 4.0]

    def test_a_frame_behind_half_a_frame_is_not_lost(self, parser, frame):
        whole = frame(numbers())
        for cut in range(3, len(whole) - 3, 11):
            reader = parser()
            found = reader.feed(whole[:cut] + frame(numbers(arm=(1.0, 2.0, 3.0))) + frame(numbers()))
            assert [one.angles[RIGHT_ARM].tolist() for one in found][-2:] == [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], cut

    def test_a_value_that_is_no_number_spoils_its_frame_only(self, parser, frame):
        spoiled = numbers()
        spoiled[100] = float("nan")
        reader = parser()
        assert len(reader.feed(frame(spoiled) + frame(numbers()))) == 1
        assert reader.malformed == 1


@pytest.mark.parametrize(("head", "avatar"), [("", 0), ("3 ", 3), ("3 Patient ", 3), ("3 Jo van Dé 2b ", 3)])
def test_the_avatar_may_have_no_name_or_one_of_several_words(head, avatar):
    frames = TextParser().feed(3 * text(numbers(arm=(1.0, 2.0, 3.0)), head))
    assert [(frame.avatar, frame.angles[RIGHT_ARM].tolist()) for frame in frames] == [(avatar, [1.0, 2.0, 3.0])] * 3


def test_a_name_of_several_words_is_found_behind_half_a_frame():
    whole = text(numbers(arm=(1.0, 2.0, 3.0)), "0 Jo van Doe ")
    for cut in range(len("0 Jo van Doe 5"), len(whole) - 4, 11):
        [frame] = TextParser().feed(whole[:cut] + whole)
        assert (frame.avatar, frame.angles[RIGHT_ARM].tolist()) == (0, [1.0, 2.0, 3.0]), cut


@pytest.mark.parametrize("displaced", [True, False])
@pytest.mark.parametrize("reference", [True, False])
def test_displacement_and_reference_do_not_move_the_angles(displaced, reference):
    values = numbers(displaced, reference, (1.0, 2.0, 3.0))
    frames = TextParser().feed(text(values)) + TextParser().feed(text(values, head=""))
    frames += BinaryParser().feed(binary(values, displaced=int(displaced), reference=int(reference)))
    assert len(frames) == 3
    for frame in frames:
        assert frame.angles.shape == (59, 3)
        assert frame.angles[RIGHT_ARM].tolist() == [1.0, 2.0, 3.0]
        assert np.count_nonzero(frame.angles) == 3


def test_a_frame_says_whose_it_is_and_bytes_say_which():
    [by_text] = TextParser().feed(text(numbers(), head="3 Anna "))
    [by_bytes] = BinaryParser().feed(binary(numbers(), index=77, avatar=3))
    assert (by_text.avatar, by_text.frame_index) == (3, None)
    assert (by_bytes.avatar, by_bytes.frame_index) == (3, 77)


def test_text_with_one_value_too_few_is_malformed():
    parser = TextParser()
    assert parser.feed(text(numbers()[:-1])) == []
    assert parser.malformed == 1


def test_text_without_end_does_not_pile_up():
    parser = TextParser()
    for _ in range(100):
        parser.feed(b"1.0 " * 1000)
    assert parser.discarded_bytes > 100 * 4000 - LONGEST_TEXT - 4000


def test_bytes_without_header_are_counted_and_not_kept():
    parser = BinaryParser()
    assert parser.feed(b"\x00\xff" * 5000 + b"\xff") == []
    assert parser.feed(binary(numbers())[1:])[0].frame_index == 1
    assert parser.discarded_bytes == 10000


def test_a_header_that_contradicts_itself_is_passed_over():
    lies = binary(numbers()[:-6])
    parser = BinaryParser()
    assert len(parser.feed(lies + binary(numbers()))) == 1
    assert parser.discarded_bytes == len(lies)


def test_every_segment_of_finerehab_has_a_joint():
    assert set(JOINT_OF_SEGMENT) == set(SEGMENTS)
    assert len(set(JOINT_OF_SEGMENT.values())) == 17


def test_without_angles_every_segment_stands_as_the_world():
    for orientation in orientations(np.zeros((59, 3))).values():
        assert orientation.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_child_turns_with_its_parent_and_a_sibling_does_not():
    angles = np.zeros((59, 3))
    angles[RIGHT_ARM] = (0.0, 0.0, 90.0)
    angles[RIGHT_FOREARM] = (0.0, 0.0, -30.0)
    turned = orientations(angles)
    for segment, degrees in (("right_arm", 90.0), ("right_forearm", 60.0), ("right_hand", 60.0), ("left_arm", 0.0)):
        half = np.radians(degrees) / 2
        assert turned[segment] == pytest.approx([np.cos(half), 0.0, 0.0, np.sin(half)], abs=1e-12)


def test_the_order_of_the_angles_is_the_order_they_are_applied_in():
    """YXZ: 90 about y, then 90 about the turned x. By hand: z goes to -y, and y to x's place after the first turn."""
    angles = np.zeros((59, 3))
    angles[0] = (90.0, 90.0, 0.0)
    w, x, y, z = orientations(angles, "YXZ")["lower_back"]
    assert [w, x, y, z] == pytest.approx([0.5, 0.5, 0.5, -0.5])
    w, x, y, z = orientations(angles, "XYZ")["lower_back"]
    assert [w, x, y, z] == pytest.approx([0.5, 0.5, 0.5, 0.5])


def test_a_joint_that_stops_changing_while_others_go_on_has_no_sensor():
    chance, stillness = np.random.default_rng(5), Stillness(3.0)
    frozen = chance.normal(size=3)
    for step in range(100):
        angles = chance.normal(size=(59, 3))
        if 20 <= step < 80:
            angles[RIGHT_ARM] = frozen
        stillness.see(angles, 0.1 * step)
        assert stillness.still == (("right_arm",) if 51 <= step < 80 else ()), step


def test_a_broadcast_that_stands_still_as_a_whole_says_nothing_of_single_sensors():
    stillness = Stillness(3.0)
    for step in range(100):
        stillness.see(np.ones((59, 3)), 0.1 * step)
    assert stillness.still == ()
