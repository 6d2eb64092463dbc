"""One file per vendor. Only `chatsphere.bootstrap` imports from here; no vendor's type or error leaves a file."""
