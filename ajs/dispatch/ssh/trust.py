"""Whether a host is the right one: decided before our user's name or key is shown to it.

paramiko proves that the host holds the key that it shows, and nothing else; of a certificate it looks at nothing.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import cast

import paramiko
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    SSHCertificateType,
    load_ssh_public_identity,
)

from ajs.dispatch.link import Endpoint, FarSide, Trust, public_key_blob
from ajs.dispatch.link_errors import BadCertificate, LinkError, UntrustedHost

CERTIFICATE = "-cert-v01@openssh.com"
RSA = ("rsa-sha2-512", "rsa-sha2-256")
ALL_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    *RSA,
)


def acceptable_types(trust: Trust) -> tuple[str, ...]:
    """Return the kinds of host key to ask for, best first: certificates if there is a CA, then the pinned kinds."""
    pinned = {line.split()[0] for line in trust.pinned}
    certificates = ALL_TYPES if trust.authorities else ()
    return (
        *(kind + CERTIFICATE for kind in certificates),
        *(kind for kind in ALL_TYPES if kind in pinned or ("ssh-rsa" in pinned and kind in RSA)),
    )


def no_common_type(hop: str, trust: Trust) -> LinkError:
    """Return what to say to a host that has no key of a kind that we ask for."""
    if trust.authorities:
        cause = "it shows no host certificate"
        cure = "have the host CA sign its host key, and name the certificate in its sshd_config (HostCertificate)"
        if not trust.pinned:
            return BadCertificate(hop, cause, cure)
    kinds = ", ".join(sorted({line.split()[0] for line in trust.pinned}))
    return UntrustedHost(
        hop,
        f"it has no host key of the pinned kind: {kinds}",
        "pin the key that it has, after checking it there",
    )


def verify(hop: str, endpoint: Endpoint, key: paramiko.PKey, now: datetime) -> FarSide:
    """Return who the host is; UntrustedHost or BadCertificate when it cannot be known.

    ``key`` is what it showed, and its possession is proven.
    """
    trust = endpoint.trust
    blob = key.asbytes()
    fingerprint = _fingerprint(blob)
    if blob in {public_key_blob(line) for line in trust.pinned}:
        return FarSide(address=endpoint.address, fingerprint=fingerprint, key_id=None)
    if key.public_blob is None:
        cause = f"its host key {fingerprint} is none of the pinned ones"
        cure = "if it was set up anew, compare with ssh-keygen -l there and pin the new key; or it is another host"
        raise UntrustedHost(hop, cause, cure)
    certificate = _certificate(hop, key.public_blob.key_blob)
    _check(hop, certificate, trust, now)
    if _blob(certificate.public_key()) != blob:
        raise BadCertificate(hop, "its certificate is for another key", "sign its host key anew")
    key_id = certificate.key_id.decode(errors="replace")
    return FarSide(address=endpoint.address, fingerprint=fingerprint, key_id=key_id)


def _certificate(hop: str, blob: bytes) -> SSHCertificate:
    size = int.from_bytes(blob[:4], "big")
    line = blob[4 : 4 + size] + b" " + b64encode(blob)
    try:
        return cast("SSHCertificate", load_ssh_public_identity(line))
    except (ValueError, UnsupportedAlgorithm) as error:
        cure = "have the host CA sign its host key anew"
        raise BadCertificate(hop, f"its certificate cannot be read: {error}", cure) from error


def _check(hop: str, certificate: SSHCertificate, trust: Trust, now: datetime) -> None:
    """Raise BadCertificate for a certificate that does not make its owner this host, now."""
    authority = _blob(certificate.signature_key())
    names = [name.decode(errors="replace") for name in certificate.valid_principals]
    at = now.timestamp()
    sign = "have the host CA sign its host key anew"
    wanted = ", ".join(trust.principals)
    if certificate.type is not SSHCertificateType.HOST:
        raise BadCertificate(
            hop, "it shows the certificate of a user, not of a host", f"{sign} with ssh-keygen -h"
        )
    if authority not in {public_key_blob(line) for line in trust.authorities}:
        raise BadCertificate(
            hop,
            f"its certificate is from another CA, {_fingerprint(authority)}",
            f"{sign}, or take that CA into the trusted ones",
        )
    try:
        certificate.verify_cert_signature()
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise BadCertificate(hop, "the signature of its certificate is false", sign) from error
    if at < certificate.valid_after:
        raise BadCertificate(
            hop,
            "its certificate is not valid yet",
            f"{sign}, and compare the clocks of both machines",
        )
    if at >= certificate.valid_before:
        raise BadCertificate(hop, "its certificate has expired", sign)
    if not set(names) & set(trust.principals):
        said = f"is for {', '.join(names)}" if names else "names no principal"
        raise BadCertificate(
            hop,
            f"its certificate {said}, not for {wanted}",
            f"{sign} with -n {trust.principals[0]}",
        )
    if certificate.critical_options:
        options = ", ".join(_texts(certificate.critical_options))
        raise BadCertificate(
            hop,
            f"its certificate has the critical options {options}, which no host's may have",
            sign,
        )


def _texts(names: Iterable[bytes]) -> list[str]:
    return [name.decode(errors="replace") for name in names]


def _blob(key: object) -> bytes:
    """Return a public key of cryptography's as it goes over the wire."""
    line: bytes = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)  # type: ignore[attr-defined]
    return public_key_blob(line.decode())


def _fingerprint(blob: bytes) -> str:
    """``SHA256:...`` as ssh-keygen -l prints it."""
    return "SHA256:" + b64encode(sha256(blob).digest()).decode().rstrip("=")
