"""A script with a bug of its own."""


def divide(rows: int) -> float:
    return 1 / rows


divide(0)
