"""Chooses, from any PEM files, the root certificates that an Aurora cluster or an RDS Proxy can be verified by."""

import warnings
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

BUNDLE: Final = Path(__file__).parent / "certificates" / "rds-global-bundle.pem"
RDS: Final = "Amazon RDS "
NOT_PRODUCTION: Final = ("Amazon RDS Beta ", "Amazon RDS Preview ")
PROXY_ROOTS: Final = frozenset(
    {
        *(f"Amazon Root CA {number}" for number in (1, 2, 3, 4)),
        "Starfield Services Root Certificate Authority - G2",
    }
)


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file."""
    with warnings.catch_warnings():
        # Some old root in a system's store has a serial number that today's rules forbid.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return x509.load_pem_x509_certificates(path.read_bytes())


def common_name(certificate: x509.Certificate) -> str:
    """Return the subject's common name, '' if it has none."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def belongs(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether it is a root for databases in use that is valid at `now`."""
    name = common_name(certificate)
    for_databases = name in PROXY_ROOTS or (name.startswith(RDS) and not name.startswith(NOT_PRODUCTION))
    self_signed = certificate.issuer == certificate.subject
    return for_databases and self_signed and certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def write_bundle(sources: Iterable[Path], destination: Path = BUNDLE) -> int:
    """Write what belongs into the bundle, from all sources, each once; return how many certificates it holds."""
    now = datetime.now(UTC)
    chosen = {
        (common_name(certificate), certificate.public_bytes(Encoding.PEM).decode())
        for source in sources
        for certificate in read_certificates(source)
        if belongs(certificate, now)
    }
    destination.write_text("".join(f"# {name}\n{pem}" for name, pem in sorted(chosen)))
    return len(chosen)
