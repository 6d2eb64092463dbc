"""Deploys the synthesized templates to MiniStack, an emulator of AWS, and uses what came of them: `make emulate`.

docs/emulator.md says what this proves and what it cannot.
"""
