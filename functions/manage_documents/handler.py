"""Documents over HTTP."""

from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.knowledge.calibration.routes import router as calibrations
from chatsphere.knowledge.deletion_routes import router as deletions
from chatsphere.knowledge.document_routes import router as sources_of_documents
from chatsphere.knowledge.history.routes import router as history
from chatsphere.knowledge.reconciliation.routes import router as reconciliations
from chatsphere.knowledge.redrive_routes import router as redrive
from chatsphere.knowledge.routes import router
from chatsphere.knowledge.training.routes import router as training
from chatsphere.knowledge.web.routes import router as sources

handler = lambda_handler(
    rest_api(
        router, sources_of_documents, reconciliations, redrive, deletions, history, sources, training, calibrations
    )
)
