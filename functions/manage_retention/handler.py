"""Retention, legal holds, the archive and erasures, over HTTP."""

from chatsphere.archive.routes import router as archive
from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.retention.hold_routes import router as legal_holds
from chatsphere.retention.routes import router as retention

handler = lambda_handler(rest_api(retention, legal_holds, archive))
