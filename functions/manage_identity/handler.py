"""Accounts, sessions and API keys over HTTP."""

from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.identity.routes import router

handler = lambda_handler(rest_api(router))
