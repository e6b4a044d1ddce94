import pytest

from appliance.messages.topics import Address, Topics, address_of

TOPICS = Topics("ward-3", "box-1")


@pytest.mark.parametrize(
    ("topic", "kind", "name"),
    [
        (TOPICS.status, "status", ""),
        (TOPICS.prescription, "prescription", ""),
        (TOPICS.alert("disk_full"), "alert", "disk_full"),
        (TOPICS.session("17"), "session", "17"),
        (TOPICS.result("squat"), "result", "squat"),
    ],
)
def test_a_topic_names_version_site_box_and_kind(topic: str, kind: str, name: str) -> None:
    assert topic == "/".join(filter(None, ("rehabbox/1/ward-3/box-1", kind, name)))
    assert address_of(topic) == Address("ward-3", "box-1", kind, name)


@pytest.mark.parametrize(
    "topic", ["", "rehabbox/2/a/b/status", "rehabbox/1/a/b", "rehabbox/1/a/b/c/d/e", "$SYS/uptime"]
)
def test_what_is_not_ours_has_no_address(topic: str) -> None:
    assert address_of(topic) is None
