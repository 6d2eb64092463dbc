"""Lists, shows and deletes conversations and their messages."""

from chatsphere.chat.routes import router
from chatsphere.http.rest_api import lambda_handler, rest_api

handler = lambda_handler(rest_api(router))
