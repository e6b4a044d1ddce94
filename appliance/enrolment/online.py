"""Enrolment and renewal at the hospital's EST server: a request out, a certificate in, the identity changed at once."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509

from appliance.enrolment.est import ClientPair, EstClient
from appliance.enrolment.hospital_file import Enrolment, EstServer, Hospital
from appliance.enrolment.identity import Current, Identity, proxy_of
from appliance.errors import EnrolmentError
from appliance.hospital.certificates import new_key, pem_of, read_certificates, request_like
from appliance.hospital.settings import address_of_proxy


def enrol_online(identity: Identity, hospital: Hospital, box: str, code: str, proxy: str | None = None) -> Current:
    """The first time: the server is trusted because `hospital` names its authority, the box for its one-time code.

    Raises `LaterError` where the server has not decided yet (the same request is sent the next time), else
    `EnrolmentError`.
    """
    client = EstClient(_server_of(hospital), hospital.ca, address_of_proxy(proxy) if proxy else None)
    request = x509.load_pem_x509_csr(identity.request(box))
    chain = client.enrol(request, box, code)
    hospital = hospital.model_copy(update={"ca": pem_of(_trusted(hospital, client)).decode()})
    told = Enrolment(box=box, certificate=pem_of(chain).decode(), hospital=hospital)
    return identity.install(told, proxy)


def renew_online(identity: Identity) -> Current:
    """A new key and certificate, for the present one. Raises `EnrolmentError`; the present pair then stays in force."""
    now = identity.current()
    client, key = _client_of(now), new_key()
    chain = client.enrol_again(request_like(now.certificate, key))
    return identity.renew(chain, _trusted(now.enrolment.hospital, client), key)


def reach_online(identity: Identity) -> str:
    """Tries the way to the server without asking for anything; says where it is. Raises `EnrolmentError`."""
    client = _client_of(identity.current())
    client.authorities()
    return f"{client} answers"


def _client_of(now: Current) -> EstClient:
    hospital, proxy = now.enrolment.hospital, proxy_of(now)
    pair = ClientPair(now.folder / "certificate.pem", now.folder / "key.pem")
    return EstClient(_server_of(hospital), hospital.ca, address_of_proxy(proxy) if proxy else None, pair)


def _server_of(hospital: Hospital) -> EstServer:
    if hospital.est is None:
        raise EnrolmentError("the hospital named no EST server: it renews the box with rehabbox fleet renew")
    return hospital.est


def _trusted(hospital: Hospital, client: EstClient) -> list[x509.Certificate]:
    """The authorities known so far and those the server names, so that a new root is known before it is needed.

    Those whose time is over are left out.
    """
    known = dict.fromkeys([*read_certificates(hospital.ca.encode(), "hospital.ca"), *client.authorities()])
    return [one for one in known if one.not_valid_after_utc > datetime.now(UTC)]
