"""Updates the box from the hospital's package source, and goes back where the new version does not work.

Nothing here imports more than Python's own library: it runs while the environment that it lies in is exchanged.
"""
