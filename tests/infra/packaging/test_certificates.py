"""The root certificates by which a function knows its database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from infra.packaging.certificates import (
    BUNDLE,
    NOT_PRODUCTION,
    PROXY_ROOTS,
    belongs,
    common_name,
    read_certificates,
    write_bundle,
)

REGIONS = ("us-east-1", "us-west-2", "eu-central-1", "eu-west-1", "ap-southeast-2")
KINDS = ("RSA2048 G1", "RSA4096 G1", "ECC384 G1")
IN_USE_FOR = timedelta(days=365)


@pytest.fixture(scope="module")
def certificates() -> list[x509.Certificate]:
    return read_certificates(BUNDLE)


def test_each_certificate_is_a_self_signed_authority_of_amazon(certificates: list[x509.Certificate]) -> None:
    for certificate in certificates:
        certificate.verify_directly_issued_by(certificate)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert constraints.value.ca
        assert common_name(certificate).startswith("Amazon RDS ") or common_name(certificate) in PROXY_ROOTS
        assert not common_name(certificate).startswith(NOT_PRODUCTION)


def test_none_expires_within_a_year(certificates: list[x509.Certificate]) -> None:
    soon = datetime.now(UTC) + IN_USE_FOR

    assert [common_name(certificate) for certificate in certificates if certificate.not_valid_after_utc < soon] == []


@pytest.mark.parametrize("region", REGIONS)
def test_a_cluster_in_the_region_can_be_verified(region: str, certificates: list[x509.Certificate]) -> None:
    names = {common_name(certificate) for certificate in certificates}

    assert {f"Amazon RDS {region} Root CA {kind}" for kind in KINDS} <= names


def test_a_proxy_can_be_verified(certificates: list[x509.Certificate]) -> None:
    assert {common_name(certificate) for certificate in certificates} >= PROXY_ROOTS


def test_an_expired_certificate_does_not_belong(certificates: list[x509.Certificate]) -> None:
    certificate = certificates[0]

    assert belongs(certificate, datetime.now(UTC))
    assert not belongs(certificate, certificate.not_valid_after_utc)


def test_a_refresh_takes_what_belongs_from_several_files_once(
    certificates: list[x509.Certificate], tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates[:3]))

    count = write_bundle([other, BUNDLE], tmp_path / "bundle.pem")

    assert count == len(certificates)
    assert (tmp_path / "bundle.pem").read_bytes() == BUNDLE.read_bytes()
