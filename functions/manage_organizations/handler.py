"""Organizations, their members and invitations, plans, payment and the audit log over HTTP."""

from chatsphere.audit.routes import router as audit
from chatsphere.billing.routes import router as billing
from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.organizations.invitation_routes import router as invitations
from chatsphere.organizations.member_routes import router as members
from chatsphere.organizations.routes import router as organizations

handler = lambda_handler(rest_api(audit, organizations, members, invitations, billing))
