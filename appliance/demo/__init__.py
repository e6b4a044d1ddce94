"""A patient session without hardware: broker, box and hospital on this machine, each in a process of its own."""
