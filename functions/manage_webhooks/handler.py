"""Endpoints that events are sent to, and their deliveries, over HTTP."""

from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.webhooks.delivery_routes import router as deliveries
from chatsphere.webhooks.routes import router as webhooks

handler = lambda_handler(rest_api(webhooks, deliveries))
