"""What was used, what it cost and how good it was, over HTTP."""

from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.insights import listing_routes, routes

handler = lambda_handler(rest_api(routes.router, listing_routes.router))
