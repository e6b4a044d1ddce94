"""Devices: what they deliver, how they are driven, and what happens when they fail. Knows nothing of the appliance."""
