"""Messages into an MCAP file by topic: a channel is registered with the first message on it."""

from __future__ import annotations

from mcap.writer import Writer

from appliance.recording.session_format import METADATA
from appliance.recording.session_messages import SCHEMAS, schema_of


class TopicWriter:
    """Begin with `begin`, end with the writer's own `finish`."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}

    def begin(self, metadata: dict[str, str]) -> None:
        self.writer.start()
        self.writer.add_metadata(METADATA, metadata)

    def add(self, topic: str, host_ns: int, message: bytes) -> None:
        if topic not in self._channels:
            kind = schema_of(topic)
            if kind not in self._schemas:
                self._schemas[kind] = self.writer.register_schema(kind, "jsonschema", SCHEMAS[kind])
            self._channels[topic] = self.writer.register_channel(topic, "json", self._schemas[kind])
        self.writer.add_message(self._channels[topic], host_ns, message, publish_time=host_ns)
