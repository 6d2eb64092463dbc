"""Documents over HTTP."""

from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.knowledge.routes import router

handler = lambda_handler(rest_api(router))
