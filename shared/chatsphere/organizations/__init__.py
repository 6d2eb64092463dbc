"""Tenants: their members, roles and invitations."""
