"""Uses a module and a package beside it."""

import seed_data
from fixtures.names import NAMES

print(seed_data.GREETING, *NAMES)
