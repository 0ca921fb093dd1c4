"""`python -m mizheng.cli` is `mizheng`."""

import sys

from .main import main

sys.exit(main())
