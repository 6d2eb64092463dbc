"""The one-machine run: every function of the catalog as a process, with local stand-ins for AWS.

Linux and macOS. Nothing here ships to Lambda, and nothing in `shared/` imports it.
"""
