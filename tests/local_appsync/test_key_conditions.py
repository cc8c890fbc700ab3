"""Errors of resolvers and DynamoDB for key conditions and the filters used with them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cases import case
from tests.local_appsync.builders import model, outputs

TRIP = model(
    "Trip",
    {
        "line": "ID!",
        "day": "String!",
        "stop": "Int!",
        "bus": "String",
        "seats": "Int",
        "at": "AWSTimestamp",
    },
    key=("line", "day", "stop"),
    indexes={"tripByBus": ("bus", "seats"), "tripByDay": ("day", "bus", "seats", "at")},
)
VISIT = model("Visit", {"place": "ID!", "day": "String!"}, key=("place", "day"))
CITY = model(
    "City",
    {"code": "ID!", "land": "ID", "name": "String"},
    key=("code",),
    relations={"roads": ("HAS_MANY", "Road", ("cityCode",))},
)
ROAD = model("Road", {"cityCode": "ID", "length": "Float"}, indexes={"roadByLength": ("length",)})
INVALID = "InvalidArgumentsError"
DYNAMODB = "DynamoDB:DynamoDbException"
ONE_CONDITION = "KeyConditionExpressions must only contain one condition per key"
KEYS_ONLY = (
    "Filter Expression can only contain non-primary key attributes: Primary key attribute: {}"
)


def _reversed(kind: str, lower: str, upper: str) -> str:
    return (
        f"Invalid {kind}: The BETWEEN operator requires upper bound to be greater than or equal to "
        f"lower bound; lower bound operand: AttributeValue: {{{lower}}}, upper bound operand: "
        f"AttributeValue: {{{upper}}}"
    )


@pytest.fixture(scope="module")
def api(start_shared: Any) -> Any:
    found = start_shared(outputs(TRIP, VISIT, CITY, ROAD))
    for day, stop, seats in (("a", 1, 10), ("a", 2, 9), ("a", 10, 8), ("b", 1, 7)):
        found.data(
            found.developer,
            f'mutation {{ createTrip(input: {{line: "x", day: "{day}", stop: {stop}, bus: "k", '
            f"seats: {seats}, at: {stop}}}) {{ line }} }}",
        )
    return found


def test_arguments_of_a_list(api: Any) -> None:
    """A list has its own errors for key arguments; a blank part counts as missing."""
    for arguments, message in (
        (
            "sortDirection: ASC",
            "When providing argument 'sortDirection' you must also provide argument 'line'.",
        ),
        (
            'dayStop: {eq: {day: "a"}}',
            "When providing argument 'dayStop' you must also provide 'line'.",
        ),
        (
            'line: " ", dayStop: {eq: {day: "a"}}',
            "When providing argument 'dayStop' you must also provide 'line'.",
        ),
        (
            'line: "x", dayStop: {eq: {day: "a"}, lt: null}',
            "Argument dayStop must specify at most one key condition operation.",
        ),
        (
            'line: "x", dayStop: {between: null}',
            "Argument 'dayStop.between' expects exactly two elements.",
        ),
        (
            'line: "x", dayStop: {between: [{day: "a"}]}',
            "Argument 'dayStop.between' expects exactly two elements.",
        ),
        (
            'line: "x", dayStop: {between: [{day: "a"}, {stop: 2}]}',
            "When providing argument 'dayStop.between[1].stop' you must also provide 'dayStop.between[1].day'.",
        ),
        (
            'line: "x", dayStop: {between: [{day: "", stop: 1}, {stop: 2}]}',
            "When providing argument 'dayStop.between[0].stop' you must also provide 'dayStop.between[0].day'.",
        ),
        (
            'line: "x", dayStop: {ge: {day: " ", stop: 1}}',
            "When providing argument 'dayStop.$operation.stop' you must also provide 'dayStop.$operation.day'.",
        ),
    ):
        with case(arguments, message):
            error = api.error(api.developer, f"{{ listTrips({arguments}) {{ items {{ line }} }} }}")
            assert (error["message"], error["errorType"]) == (message, INVALID)


def test_arguments_of_other_keys(api: Any) -> None:
    """Indexes, and models with one or no sort key, have their own messages."""
    for query, message in (
        (
            'tripByDay(day: "", busSeatsAt: {eq: {bus: "k"}})',
            "When providing argument 'busSeatsAt' you must also provide 'day'.",
        ),
        (
            'tripByDay(day: "a", busSeatsAt: {eq: {bus: "k", at: 1}})',
            "When providing argument 'busSeatsAt.$operation.at' you must also provide 'busSeatsAt.$operation.seats'.",
        ),
        (
            'tripByDay(day: "a", busSeatsAt: {eq: {seats: 1, at: 1}})',
            "When providing argument 'busSeatsAt.$operation.seats' you must also provide 'busSeatsAt.$operation.bus'.",
        ),
        # Later parts are checked first, in both bounds.
        (
            'tripByDay(day: "a", busSeatsAt: {between: [{seats: 1}, {bus: "k", at: 1}]})',
            "When providing argument 'busSeatsAt.between[1].at' you must also provide 'busSeatsAt.between[1].seats'.",
        ),
        # AppSync omits the full stop, and writes "arguments" for one argument.
        (
            'listVisits(day: {eq: "a"})',
            "When providing argument 'day' you must also provide arguments place",
        ),
        (
            "listVisits(sortDirection: DESC)",
            "When providing argument 'sortDirection' you must also provide argument 'place'.",
        ),
        (
            'listCitys(code: "c", sortDirection: DESC)',
            "sortDirection is not supported for List operations without a Sort key defined.",
        ),
    ):
        with case(query, message):
            error = api.error(api.developer, f"{{ {query} {{ items {{ __typename }} }} }}")
            assert (error["message"], error["errorType"]) == (message, INVALID)


def test_refused_by_dynamodb(api: Any) -> None:
    """DynamoDB rejects what the resolvers accept, whether or not there are items."""
    for query, message in (
        ('tripByBus(bus: "k", seats: {gt: 1, lt: 9})', ONE_CONDITION),
        ('listVisits(place: "p", day: {eq: "a", beginsWith: "a"})', ONE_CONDITION),
        (
            'tripByBus(bus: "k", seats: {between: [7]})',
            (
                "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a "
                "numeric value: $ctx.args.seats.between[1] for key :sortKey1"
            ),
        ),
        (
            'listVisits(place: "p", day: {between: ["a"]})',
            _reversed("KeyConditionExpression", "S:a", "S:$ctx.args.day.between[1]"),
        ),
        (
            'tripByBus(bus: "k", seats: {between: [9, 1]})',
            _reversed("KeyConditionExpression", "N:9", "N:1"),
        ),
        (
            'listTrips(line: "x", dayStop: {between: [{day: "b"}, {day: "a", stop: 9}]})',
            _reversed("KeyConditionExpression", "S:b", "S:a#9"),
        ),
        (
            "listRoads(filter: {length: {between: [2, 1.5]}})",
            _reversed("FilterExpression", "N:2", "N:1.5"),
        ),
        (
            "listVisits(filter: {not: {day: {size: {between: [2, 1]}}}})",
            _reversed("FilterExpression", "N:2", "N:1"),
        ),
        (
            'listVisits(filter: {or: [{day: {between: [null, "a"]}}]})',
            (
                "Invalid FilterExpression: The BETWEEN operator requires same data type for lower and upper "
                "bounds; lower bound operand: AttributeValue: {NULL:true}, upper bound operand: "
                "AttributeValue: {S:a}"
            ),
        ),
        ('listTrips(line: "x", filter: {not: {line: {eq: "y"}}})', KEYS_ONLY.format("line")),
        ('listVisits(place: "p", filter: {day: {eq: "a"}})', KEYS_ONLY.format("day")),
        (
            'tripByBus(bus: "k", filter: {and: [{seats: {eq: 1}}, {bus: {ne: "a"}}]})',
            KEYS_ONLY.format("bus"),
        ),
        (
            "roadByLength(length: 1e200)",
            (
                "ExpressionAttributeValues contains invalid value: Number overflow. Attempting to store a "
                "number with magnitude larger than supported range for key :length"
            ),
        ),
        (
            "listRoads(filter: {length: {lt: 1e-131}})",
            (
                "ExpressionAttributeValues contains invalid value: Number underflow. Attempting to store a "
                "number with magnitude smaller than supported range for key :length_lt"
            ),
        ),
    ):
        with case(query, message):
            error = api.error(api.developer, f"{{ {query} {{ items {{ __typename }} }} }}")
            assert error["message"].partition(" (Service")[0] == message
            assert error["errorType"] == DYNAMODB


def test_valid_conditions(api: Any) -> None:
    """Conditions compare the stored key; composite keys are compared as text."""
    for query, found in (
        # A third bound is ignored.
        ('tripByBus(bus: "k", seats: {between: [7, 8, 1]})', "b1 a10"),
        ('tripByBus(bus: "k", seats: {between: [9, 9]})', "a2"),
        ('tripByBus(bus: "k", seats: {ge: 9, lt: null})', "a2 a1"),
        ('tripByBus(bus: "k", seats: {})', "b1 a10 a2 a1"),
        ('listTrips(line: "x", dayStop: {between: [{day: "a", stop: 2}, {day: "b"}]})', "a2"),
        ('listTrips(line: "x", dayStop: {eq: null})', "a1 a10 a2 b1"),
        ('listTrips(line: "x", dayStop: {lt: {day: "a", stop: 2}})', "a1 a10"),
        # Parts of a composite key are not key attributes, and a scan accepts any filter.
        ('listTrips(line: "x", filter: {day: {eq: "b"}})', "b1"),
        ('listTrips(filter: {line: {eq: "x"}, stop: {eq: 2}})', "a2"),
        ('tripByDay(day: "a", busSeatsAt: {beginsWith: {bus: "k", seats: 9}})', "a2"),
        ('tripByDay(day: "a", filter: {bus: {eq: "k"}, at: {gt: 1}, line: {eq: "x"}})', "a2 a10"),
    ):
        with case(query, found):
            items = api.data(api.developer, f"{{ {query} {{ items {{ day stop }} }} }}")["items"]
            seen = [f"{item['day']}{item['stop']}" for item in items]
            assert (sorted(seen) if "tripByDay" in query else seen) == (
                sorted(found.split()) if "tripByDay" in query else found.split()
            )


def test_related_lists(start: Any) -> None:
    """A related list is a query of its own index, and accepts a filter without comparisons."""
    api = start(outputs(CITY, ROAD))
    api.data(api.developer, 'mutation { createCity(input: {code: "c"}) { code } }')
    api.data(api.developer, 'mutation { createRoad(input: {cityCode: "c", length: 1}) { id } }')
    roads = '{ getCity(code: "c") { roads(%s) { items { length } } } }'
    for nothing in ("filter: {and: []}", "filter: {length: {}}", "filter: {}", "filter: null"):
        found = api.data(api.developer, roads % nothing)
        assert found == {"roads": {"items": [{"length": 1.0}]}}
    answer = api.execute(api.developer, roads % 'filter: {cityCode: {eq: "c"}}')
    assert answer["data"] == {"getCity": {"roads": None}}
    (error,) = answer["errors"]
    assert error["message"].startswith(KEYS_ONLY.format("cityCode"))
    assert error["path"] == ["getCity", "roads"]


def test_conditions_of_mutations(api: Any) -> None:
    """The bounds of a mutation's condition are checked before the item is."""
    message = _reversed("ConditionExpression", "N:9", "N:1")
    for document in (
        "createRoad(input: {length: 1e200}, condition: {length: {between: [9, 1]}})",
        'updateRoad(input: {id: "none"}, condition: {length: {between: [9, 1]}})',
        'deleteRoad(input: {id: "none"}, condition: {length: {between: [9, 1]}})',
    ):
        error = api.error(api.developer, f"mutation {{ {document} {{ id }} }}")
        assert error["message"].startswith(message)
        assert error["errorType"] == DYNAMODB
