"""Accounts, sessions and API keys over HTTP, and the deletion of what takes a password to delete."""

from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.identity.api_key_routes import router as api_keys
from chatsphere.identity.email_routes import router as email_addresses
from chatsphere.identity.mfa_routes import router as second_factor
from chatsphere.identity.password_routes import router as passwords
from chatsphere.identity.routes import router as accounts
from chatsphere.identity.session_routes import router as sessions
from chatsphere.privacy.erasure_routes import router as erasures
from chatsphere.privacy.routes import router as privacy

handler = lambda_handler(
    rest_api(accounts, email_addresses, passwords, second_factor, sessions, api_keys, privacy, erasures)
)
