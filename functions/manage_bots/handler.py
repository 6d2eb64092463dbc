"""Bots over HTTP."""

from chatsphere.bots.member_routes import router as members
from chatsphere.bots.public_routes import router as public_bots
from chatsphere.bots.routes import router as bots
from chatsphere.bots.state_routes import router as states
from chatsphere.bots.version_routes import router as versions
from chatsphere.chat.cache.routes import router as cache
from chatsphere.evaluation.case_routes import router as evaluation_cases
from chatsphere.evaluation.routes import router as evaluation_sets
from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.transfers.export_routes import router as exports
from chatsphere.transfers.import_routes import router as imports

handler = lambda_handler(
    rest_api(bots, states, members, versions, public_bots, cache, evaluation_sets, evaluation_cases, exports, imports)
)
