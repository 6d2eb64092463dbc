"""Conversations, messages, end users, feedback and questions without an answer, over HTTP."""

from chatsphere.chat.end_users.routes import router as end_users
from chatsphere.chat.feedback.routes import router as feedback
from chatsphere.chat.routes import router as conversations
from chatsphere.chat.unanswered.routes import router as unanswered
from chatsphere.http.rest_api import lambda_handler, rest_api

handler = lambda_handler(rest_api(conversations, end_users, feedback, unanswered))
