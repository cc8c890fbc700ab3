from seed_helpers import nothing
