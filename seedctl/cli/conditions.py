"""The options that make a local sandbox slow, limited and failing on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")


def conditions_options(command: _Command) -> _Command:
    """Add the options that ``FaultSettings.parse`` takes to *command*."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--latency",
        metavar="MS",
        help="Answer that many milliseconds later, such as 100, or 50-150.",
    ),
    click.option(
        "--quotas",
        is_flag=False,
        flag_value="default",
        metavar="[NAME=N,...]",
        help="Refuse what exceeds AWS's quotas of requests a second; UserCreation=80 changes one.",
    ),
    click.option(
        "--faults",
        metavar="PERCENT|NAME=PERCENT,...",
        help="Let that share of requests go wrong: fail, fail-after, throttle, cut, cut-after.",
    ),
    click.option(
        "--fault-seed",
        type=int,
        metavar="N",
        help="Make the same faults in the same order each time.",
    ),
)
