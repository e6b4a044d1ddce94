"""The synthetic camera: an Azure Kinect's axes, its own clock, lost frames, delays, in real time."""

import threading
import time

import numpy as np
import pytest

from appliance.skeleton.adapters import to_standard
from appliance.skeleton.standard import INDEX
from hal.camera.synthetic import SyntheticCamera, pose_of
from hal.errors import DeviceLostError, DriverOptionError
from hal.registry import build_camera
from hal.virtual.body import AZURE_KINECT_32, STANDARD_17
from hal.virtual.stage import stage

FAST = {"rate_hz": 120.0, "loss": 0.0, "noise_m": 0.0}


def frames_of(count, **options):
    camera = SyntheticCamera(SyntheticCamera.Options(**options))
    camera.open()
    try:
        return [frame for frame in (camera.read(1.0) for _ in range(count)) if frame]
    finally:
        camera.close()


def test_it_sees_the_patient_in_front_of_it_upright_in_kinect_axes():
    (frame,) = frames_of(1, patient="cam", distance_m=3.0, height_m=1.0, **FAST)
    joints = dict(zip(AZURE_KINECT_32, frame.body.positions, strict=True))
    assert frame.body.layout == "azure_kinect_32"
    assert joints["pelvis"][2] == pytest.approx(3.0, abs=0.1)
    assert joints["nose"][2] < joints["head"][2]
    assert joints["head"][1] < joints["pelvis"][1] < joints["left_ankle"][1] < 1.0
    assert joints["left_shoulder"][0] > 0.1 > -0.1 > joints["right_shoulder"][0]


def test_the_order_of_joints_is_the_sdks():
    assert len(AZURE_KINECT_32) == 32
    numbered = {0: "pelvis", 4: "left_clavicle", 7: "left_wrist", 14: "right_wrist", 18: "left_hip", 20: "left_ankle"}
    numbered |= {22: "right_hip", 25: "right_foot", 26: "head", 27: "nose", 31: "right_ear"}
    assert {index: AZURE_KINECT_32[index] for index in numbered} == numbered


def test_the_adapter_gives_the_patients_standard_joints_back():
    who = stage("adapted")
    (frame,) = frames_of(1, patient="adapted", height_m=0.0, **FAST)
    positions, confidence = to_standard(frame.body)
    true = who.joints(np.array([frame.arrival_ns * 1e-9]), STANDARD_17)[0]
    np.testing.assert_allclose(positions, true - np.array([0.0, 0.0, 2.5]), atol=0.005)
    assert confidence.min() == 1.0


def test_positions_are_the_patients_at_the_moment_of_exposure():
    who = stage("exposed")
    frames = frames_of(20, patient="exposed", delay_ms=40.0, clock_offset_s=5.0, **FAST)
    opened_ns = frames[0].arrival_ns
    offsets = np.array([frame.stamp_ns - 5_000_000_000 for frame in frames]) * 1e-9
    seen = np.array([frame.body.positions[26] for frame in frames])

    def misfit(start_s):
        true = who.joints(start_s + offsets, ("head",))[:, 0]
        return np.abs((true - (0.0, 1.0, 2.5)) * (1.0, -1.0, -1.0) - seen).max()

    starts = opened_ns * 1e-9 - np.arange(0.0, 0.3, 0.0005)
    misfits = [misfit(start) for start in starts]
    assert min(misfits) < 1e-5
    assert max(misfits) > 1e-4


def test_frames_arrive_when_they_are_due_and_lost_ones_leave_a_gap():
    began = time.monotonic()
    frames = frames_of(60, rate_hz=120.0, loss=0.3, delay_ms=5.0, seed=3)
    indices = np.array([frame.index for frame in frames])
    assert time.monotonic() - began > indices[-1] / 120.0
    assert 70 < indices[-1] < 110
    np.testing.assert_allclose(
        [frame.stamp_ns - frames[0].stamp_ns for frame in frames], (indices - indices[0]) * 1e9 / 120, atol=2
    )
    arrivals = np.array([frame.arrival_ns for frame in frames])
    assert (np.diff(arrivals) >= 0).all()
    late = arrivals - np.array([frame.stamp_ns for frame in frames])
    assert 1e6 < np.std(late) < 12e6


def test_its_clock_runs_fast_by_what_its_options_say():
    frames = frames_of(50, clock_skew_ppm=1000.0, delay_ms=0.0, **FAST)
    device = frames[-1].stamp_ns - frames[0].stamp_ns
    host = frames[-1].arrival_ns - frames[0].arrival_ns
    assert device / host == pytest.approx(1.001, rel=1e-6)


def test_noise_is_as_large_as_asked():
    frames = frames_of(40, rate_hz=120.0, noise_m=0.05, loss=0.0)
    noise = np.diff([frame.body.positions for frame in frames], axis=0)
    assert np.std(noise) == pytest.approx(0.05 * np.sqrt(2), rel=0.1)


def test_a_frame_that_does_not_come_in_time_is_none_and_comes_later():
    camera = SyntheticCamera(SyntheticCamera.Options(rate_hz=4.0, loss=0.0, delay_ms=0.0))
    camera.open()
    assert camera.read(0.1).index == 0
    assert camera.read(0.02) is None
    assert camera.read(1.0).index == 1
    camera.close()


def test_who_does_not_read_for_long_loses_the_oldest_frames():
    camera = SyntheticCamera(SyntheticCamera.Options(**FAST))
    camera.open()
    time.sleep(1.3)
    assert 20 < camera.read(0.5).index < 100
    camera.close()


def test_close_wakes_a_reader():
    camera = SyntheticCamera(SyntheticCamera.Options(rate_hz=1.0, loss=0.0, delay_ms=0.0))
    camera.open()
    camera.read(0.5)
    read = []
    reader = threading.Thread(target=lambda: read.append(camera.read(30.0)))
    reader.start()
    time.sleep(0.05)
    camera.close()
    reader.join(0.5)
    assert read == [None]
    with pytest.raises(DeviceLostError, match="open"):
        camera.read(0.1)


def test_an_unknown_option_is_refused_by_name():
    with pytest.raises(DriverOptionError, match=r"camera\.colour"):
        build_camera({"driver": "synthetic", "colour": True})


def test_from_the_side_and_looking_down_it_sees_the_same_patient():
    who = stage("around")
    (frame,) = frames_of(1, patient="around", bearing_deg=60.0, tilt_deg=12.0, height_m=1.6, **FAST)
    true = who.joints(np.array([frame.arrival_ns * 1e-9]), AZURE_KINECT_32)[0]
    axes, place = pose_of(60.0, 12.0, 2.5, 1.6)
    np.testing.assert_allclose(frame.body.positions @ axes + place, true, atol=0.005)
    assert place[0] > 1.0  # stage axes have x to the patient's left
    height = frame.body.positions @ frame.up + 1.6
    np.testing.assert_allclose(height, true[:, 1], atol=0.005)
    away = frame.body.positions[:, 2]
    assert (away > 1.0).all()


def test_a_hidden_joint_is_not_seen():
    (frame,) = frames_of(1, patient="hiding", hidden=("left_wrist",), **FAST)
    positions, confidence = to_standard(frame.body)
    assert confidence[INDEX["left_wrist"]] == 0
    assert np.isnan(positions[INDEX["left_wrist"]]).all()
    assert np.delete(confidence, INDEX["left_wrist"]).min() == 1.0
    with pytest.raises(DriverOptionError, match="no joint 'left_paw'"):
        build_camera({"driver": "synthetic", "hidden": ["left_paw"]})
