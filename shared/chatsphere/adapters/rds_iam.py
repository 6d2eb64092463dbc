"""Passwords for RDS that AWS IAM signs, made without a request; botocore alone, without boto3."""

from functools import cached_property
from typing import TYPE_CHECKING, Final

from psycopg.conninfo import conninfo_to_dict

from chatsphere.errors import ConfigurationError, UnavailableError

if TYPE_CHECKING:
    from botocore.session import Session

VALID_SECONDS: Final = 900
"""How long a token opens connections; those that are open stay so."""

DEFAULT_PORT: Final = 5432


class RdsIamPassword:
    """Makes a token for the user, host and port of a connection URL. Calling it signs a new one."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self) -> str:
        """Return a password for the next connection.

        Raises:
            ConfigurationError: the URL names no user or host, or the environment no region.
            UnavailableError: this process has no AWS credentials at the moment.
        """
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import create_request_object, prepare_request_dict
        from botocore.exceptions import BotoCoreError, NoCredentialsError

        target = conninfo_to_dict(self._url)
        user, host, port = target.get("user"), target.get("host"), target.get("port") or DEFAULT_PORT
        if not user or not host:
            raise ConfigurationError("A database URL for IAM authentication must name a user and a host.")
        request = {"url_path": "/", "query_string": "", "headers": {}, "method": "GET"}
        request["body"] = {"Action": "connect", "DBUser": user}
        prepare_request_dict(request, f"https://{host}:{port}")
        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            signed = create_request_object(request)
            SigV4QueryAuth(credentials, "rds-db", self._region, expires=VALID_SECONDS).add_auth(signed)
        except BotoCoreError:
            raise UnavailableError("There are no AWS credentials to sign a database token with.") from None
        return str(signed.url).removeprefix("https://")

    @property
    def _region(self) -> str:
        region = self._session.get_config_variable("region")
        if not region:
            raise ConfigurationError("AWS_DEFAULT_REGION is not set.")
        return str(region)

    @cached_property
    def _session(self) -> "Session":
        from botocore.session import get_session

        return get_session()
