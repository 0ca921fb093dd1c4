"""`python -m mizheng.cli` is `mizheng`."""

import sys

from mizheng.cli.main import main

sys.exit(main())
