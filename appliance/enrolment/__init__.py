"""How a box becomes known to its hospital, and stays so: its key, its certificate, and what the hospital told it."""
