"""Whatever a file or a server holds, it is read or refused in one line."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.enrolment.est import certificates_in
from appliance.enrolment.hospital_file import read_enrolment
from appliance.errors import EnrolmentError, FleetError
from appliance.fleet.boxes import read_boxes
from appliance.fleet.requests import requested

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["box", "certificate", "hospital", "site", "broker", "host", "port", "ca", "est", "x"]),
        inner,
        max_size=6,
    ),
    max_leaves=12,
)  # fmt: skip
PEM = st.binary(max_size=200).map(
    lambda der: (
        b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE REQUEST-----"
    )
)

ON_SECP112R1 = b"""\
-----BEGIN CERTIFICATE REQUEST-----
MH8wSwIBADAQMQ4wDAYDVQQDDAVib3gtMTAyMBAGByqGSM49AgEGBSuBBAAGAx4A
BEOBm8y+UErNkyzEM26+UiR7KkRINocw6jPemICgADAKBggqhkjOPQQDAgMkADAh
Ag54YWB8uMrHm1EXvai/rgIPALwlQKSyg2sJUNdqOLO7
-----END CERTIFICATE REQUEST-----
"""


def one_line(error: Exception) -> None:
    assert "\n" not in str(error)
    assert str(error)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet='box,;serial"\n\r\t \x00ä1-', max_size=80).map(str.encode))
def test_lists_of_boxes(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "boxes.csv"
        file.write_bytes(content)
        try:
            read_boxes(file, ("clinic",))
        except FleetError as error:
            one_line(error)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_answers_of_a_hospital(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "box.enrolment.json"
        file.write_bytes(content)
        try:
            read_enrolment(file)
        except EnrolmentError as error:
            one_line(error)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | PEM)
@example(ON_SECP112R1)
def test_requests_of_boxes(content: bytes) -> None:
    try:
        requested(content, "box.csr")
    except FleetError as error:
        one_line(error)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=200).map(base64.encodebytes))
@example(base64.encodebytes(bytes.fromhex("300f06092a864886f70d010701a0020400")))  # PKCS#7, and not signed data
def test_certificates_of_a_server(content: bytes) -> None:
    try:
        certificates_in(content)
    except EnrolmentError as error:
        one_line(error)
