"""Rows of webhooks."""

from typing import Final

from tests.integration.matrix.row import ACCEPTED, CREATED, DONE, OK, Row

WEBHOOKS: Final = {
    "listWebhookEventTypes": Row(OK),
    "createWebhook": Row(CREATED, {"url": "https://93.184.216.34/hook"}),
    "listWebhooks": Row(OK),
    "getWebhook": Row(OK),
    "updateWebhook": Row(OK, {"description": "Changed."}),
    "deleteWebhook": Row(DONE),
    "rotateWebhookSecret": Row(OK, {}),
    "testWebhook": Row(ACCEPTED),
    "replayWebhook": Row(ACCEPTED, {"since": "2026-01-01T00:00:00Z"}),
    "listWebhookDeliveries": Row(OK),
    "getWebhookDelivery": Row(OK),
    "replayWebhookDelivery": Row(ACCEPTED),
}
