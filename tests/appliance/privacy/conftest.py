"""The same box as the inbox's tests have."""

from tests.appliance.inbound.conftest import bench

__all__ = ["bench"]
