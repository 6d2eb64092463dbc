"""The command line against a loopback server that speaks the API."""
