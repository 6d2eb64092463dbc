"""Structured logs. Neither message text nor a secret is ever logged."""

from aws_lambda_powertools import Logger

logger = Logger()
