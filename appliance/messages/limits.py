"""What box and broker agree on with each connection."""

LARGEST_MESSAGE = 4 << 20
"""Bytes; the broker keeps larger ones from us. A reference of two takes of a minute has 1.5 million."""

KEPT_FOR_US_S = 7 * 86400
"""The broker keeps what the hospital sends meanwhile to a box that is away for no longer."""
