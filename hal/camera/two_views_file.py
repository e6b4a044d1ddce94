"""A calibration of two cameras as a file: what was found, from what, and how the cameras stood. The layout is ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from hal.camera.checkerboard import Board
from hal.camera.known_camera import KnownCamera
from hal.camera.placement import Floor, Moved, Placement, compare
from hal.camera.two_views import Rejected, TwoViews
from hal.errors import CalibrationError

SCHEMA = 1
"""Of the file that is written now; raised with every change that an older reader would misunderstand."""
_LARGEST = 1 << 20

Vector = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
Matrix = tuple[Vector, Vector, Vector]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoredFloor(_Model):
    normal: Vector
    height_m: FiniteFloat


class StoredCamera(_Model):
    """`lens_sha256` ties the calibration to this device and its colour mode."""

    serial: str
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    lens_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    up: Vector | None
    floor: StoredFloor | None

    @property
    def placement(self) -> Placement | None:
        """How it stood; None where the calibration was made without gravity."""
        if self.up is None:
            return None
        floor = None if self.floor is None else Floor(np.array(self.floor.normal), self.floor.height_m)
        return Placement(np.array(self.up), floor)


class StoredBoard(_Model):
    squares: tuple[int, int]
    square_mm: Annotated[float, Field(gt=0)]


class StoredRejection(_Model):
    picture: str
    reason: str


class StoredTwoViews(_Model):
    """Camera B in camera A's frame, as `TwoViews`."""

    schema_version: Literal[1] = 1
    date: AwareDatetime
    a: StoredCamera
    b: StoredCamera
    rotation: Matrix
    translation_m: Vector
    reprojection_px: Annotated[FiniteFloat, Field(ge=0)]
    board: StoredBoard
    pictures: tuple[str, ...]
    rejected: tuple[StoredRejection, ...]

    @model_validator(mode="after")
    def _is_a_rotation(self) -> Self:
        turn = np.array(self.rotation)
        if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-6 or np.linalg.det(turn) < 0:
            raise ValueError("rotation is not a rotation")
        return self

    def moved(self, a: KnownCamera, b: KnownCamera) -> tuple[Moved, Moved]:
        """How A and B stand now against then.

        Raises `CalibrationError` where one is another camera or another colour mode, or nothing is known to compare.
        """
        return _moved("A", self.a, a), _moved("B", self.b, b)


def stored(
    views: TwoViews,
    lonely: Sequence[Rejected],
    board: Board,
    camera_a: KnownCamera,
    camera_b: KnownCamera,
    date: datetime,
) -> StoredTwoViews:
    """What goes into the file. lonely: pictures without a partner, named among the rejected."""
    rejected = sorted((*views.rejected, *lonely), key=lambda one: one.picture)
    return StoredTwoViews(
        date=date,
        a=_stored_camera(camera_a),
        b=_stored_camera(camera_b),
        rotation=views.rotation.tolist(),
        translation_m=views.translation.tolist(),
        reprojection_px=views.reprojection_px,
        board=StoredBoard(squares=board.squares, square_mm=board.square_m * 1000),
        pictures=views.pictures,
        rejected=tuple(StoredRejection(picture=one.picture, reason=one.reason) for one in rejected),
    )


def read_two_views(file: Path) -> StoredTwoViews:
    """Raises `CalibrationError` naming the file and the field that is wrong."""
    try:
        with file.open("rb") as stream:
            raw = json.loads(stream.read(_LARGEST).decode("utf-8"))
        version = raw["schema_version"]
        if isinstance(version, int) and version > SCHEMA:
            raise CalibrationError(
                f"{file}: was written by a newer version (schema {version}, this one reads {SCHEMA}); "
                "update, or calibrate again"
            )
        return StoredTwoViews.model_validate_json(json.dumps(raw))
    except OSError as error:
        raise CalibrationError(f"{file}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise CalibrationError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}; calibrate again") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CalibrationError(f"{file}: is not a calibration of two cameras, or is cut short") from None


def _stored_camera(camera: KnownCamera) -> StoredCamera:
    placement = camera.placement
    floor = None if placement is None or placement.floor is None else placement.floor
    return StoredCamera(
        serial=camera.serial,
        width=camera.lens.width,
        height=camera.lens.height,
        lens_sha256=camera.lens_sha256,
        up=None if placement is None else placement.up.tolist(),
        floor=None if floor is None else StoredFloor(normal=floor.normal.tolist(), height_m=floor.height_m),
    )


def _moved(name: str, then: StoredCamera, now: KnownCamera) -> Moved:
    if then.lens_sha256 != now.lens_sha256:
        raise CalibrationError(
            f"camera {name} ({now.serial}) is not the one that was calibrated ({then.serial}), or is in another colour "
            "mode; calibrate again, or exchange A and B"
        )
    before = then.placement
    if before is None:
        raise CalibrationError(
            f"the calibration does not say how camera {name} stood; calibrate again with a recording of it in its place"
        )
    if now.placement is None:
        raise CalibrationError(f"camera {name}: what was given does not tell gravity; give a recording of it at rest")
    return compare(before, now.placement)
