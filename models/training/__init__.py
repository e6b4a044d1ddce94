"""What makes the shipped model out of data. Nothing that runs on a box imports it."""
