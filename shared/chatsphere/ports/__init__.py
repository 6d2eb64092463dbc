"""What ChatSphere needs from the outside, as protocols. The docstrings are the contract.

Adapters live in `chatsphere.adapters`; only `chatsphere.bootstrap` chooses them. Every adapter passes the
contract suite of its port (`tests/contract/`). No vendor's type or error crosses a port: an adapter raises
`UnavailableError` when the other side does not answer.
"""
