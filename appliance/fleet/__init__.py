"""The hospital's side of many boxes: who they are, their certificates, the broker's rules. None of it is on a box."""
