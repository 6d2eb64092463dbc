"""Bots over HTTP."""

from chatsphere.bots.routes import router
from chatsphere.http.rest_api import lambda_handler, rest_api

handler = lambda_handler(rest_api(router))
