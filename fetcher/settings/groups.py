"""The headings under which settings stand in help, template and docs."""

from __future__ import annotations

from typing import Final

INPUT: Final = "Input"
OUTPUT: Final = "Output"
RATE: Final = "Rate"
GATEWAY: Final = "Gateway"
CREDENTIALS: Final = "Credentials"
CONNECTION: Final = "Connection"
RETRIES: Final = "Retries"
REPORT: Final = "What you see"
GROUPS: Final = (INPUT, OUTPUT, RATE, GATEWAY, CREDENTIALS, CONNECTION, RETRIES, REPORT)
"""The headings, in the order of help and template."""
