"""The way to the hospital: what must arrive is on disk first (`outbox`), and a connection carries it (`link`)."""
