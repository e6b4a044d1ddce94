"""Everything a device can do wrong. Each message names the device or file, what happened, and what to do."""


class HalError(Exception):
    """Any fault of a device, a driver, or a recording of device data."""


class UnknownDriverError(HalError):
    """Settings name a driver that is not in the table (`driver = "kinekt"`)."""


class DriverOptionError(HalError):
    """A driver's settings hold an unknown key or a value it refuses."""


class DeviceNotFoundError(HalError):
    """The device is not connected, or the file to replay does not exist."""


class DeviceLostError(HalError):
    """The device was there and stopped answering; the session may go on without it."""


class StreamEndedError(HalError):
    """A replay reached its end. Not a fault: a file has an end, a camera has none."""


class UnreadableRecordingError(HalError):
    """A recording of device data is empty, cut short, or not what its driver reads."""


class OtherFormatError(UnreadableRecordingError):
    """A file is not of the kind that its driver reads; another driver may read it."""


class DeviceDataError(HalError):
    """A message arrived whole, but its content is not what the device's protocol allows."""


class MisuseError(HalError):
    """A driver was used against its protocol (`show` before `open`): a fault of the calling code, not of a device."""


class BrokenDriverError(HalError):
    """An installed plug-in cannot be imported, what it names is no driver of its kind, or it cannot be made."""


class CalibrationError(HalError):
    """Cameras cannot be calibrated to each other from what was given, or a stored calibration is of no use."""


def in_one_line(error: BaseException) -> str:
    """Kind and words of an error that is none of ours, whatever a stranger's code raised."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
