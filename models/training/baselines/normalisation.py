"""Batch normalisation as both networks use it. Needs Keras."""

from __future__ import annotations

from keras import layers

_MOMENTUM = 0.9
"""An epoch has a few dozen steps, in which Keras's 0.99 would not forget where training began."""


def normalisation() -> layers.BatchNormalization:
    return layers.BatchNormalization(momentum=_MOMENTUM)
