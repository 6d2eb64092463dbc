"""Answers questions to a bot and searches its documents; run under the Lambda Web Adapter, which streams."""

from chatsphere.chat.asgi import chat_app

app = chat_app()
