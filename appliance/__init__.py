"""What the box does. Knows no device and no vendor: drivers are reached through `hal.registry`."""
