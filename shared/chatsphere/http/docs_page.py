"""The try-it page: Swagger UI as Powertools bundles it, in one page that loads nothing from elsewhere."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler.openapi import swagger_ui

ASSETS = Path(swagger_ui.__file__).parent

# Relative, so that it also works below a stage's path.
START = """
window.ui = SwaggerUIBundle({
  url: "v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ChatSphere API</title>
<link rel="icon" href="data:,">
<style>{css}</style>
</head>
<body>
<div id="swagger-ui"></div>
<script>{bundle}</script>
<script>{start}</script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class DocsPage:
    """The page, and the policy under which the browser shall show it."""

    html: str
    content_security_policy: str


@lru_cache(maxsize=1)
def docs_page(public_url: str) -> DocsPage:
    """Return the page that tries out the API at `public_url`."""
    bundle = (ASSETS / "swagger-ui-bundle.min.js").read_text(encoding="utf-8")
    css = (ASSETS / "swagger-ui.min.css").read_text(encoding="utf-8")
    address = urlsplit(public_url)
    policy = {
        "default-src": "'none'",
        # The page's own two scripts and no other, not even one that a document's text smuggled in.
        "script-src": f"{_source(bundle)} {_source(START)}",
        "style-src": "'unsafe-inline'",
        "img-src": "'self' data:",
        "connect-src": f"'self' {address.scheme}://{address.netloc}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    html = PAGE.format(css=css, bundle=bundle, start=START)
    return DocsPage(html, "; ".join(f"{name} {value}" for name, value in policy.items()))


def _source(script: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
