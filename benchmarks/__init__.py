"""What is measured, and how. Every process that a benchmark starts finds `fetcher` compiled, as if installed."""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
