"""The command line: a client of the HTTP API, the same against one machine and the cloud.

It imports nothing of the server's side. `main` assembles the commands of `commands/`; each of them is given a
`session.Session`, which knows where the API is, who is asking and how to print.
"""
