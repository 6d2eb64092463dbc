"""The API about itself: OpenAPI document, try-it page, keys, health."""

from chatsphere.bots.routes import router as bots
from chatsphere.chat.openapi import paths_and_schemas as streamed
from chatsphere.chat.routes import router as conversations
from chatsphere.http.description import description_router
from chatsphere.http.health import router as health
from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.identity.routes import router as identity
from chatsphere.knowledge.routes import router as documents

description = description_router([identity, bots, documents, conversations, health], streamed)

handler = lambda_handler(rest_api(description, health))
