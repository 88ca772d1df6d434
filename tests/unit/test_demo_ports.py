"""Which ports the demo takes."""

import socket
from dataclasses import asdict

import pytest

from demo.ports import Moved, Ports, choose, is_free


def test_the_usual_ports_are_taken_where_they_are_free() -> None:
    assert choose(Ports(), lambda _: True) == (Ports(9090, 9093, 9815, 9816, 9817, 9818), [])


def test_a_busy_port_gives_way_to_the_next_one_nobody_wants() -> None:
    ports, moved = choose(Ports(), lambda port: port not in (9090, 9816))
    assert ports.prometheus == 9091
    assert ports.load == 9819  # 9817 and 9818 are wanted by others
    assert moved == [Moved("prometheus", 9090, 9091), Moved("load", 9816, 9819)]
    assert len(set(asdict(ports).values())) == 6


def test_all_ports_busy_is_said_in_one_line() -> None:
    with pytest.raises(OSError, match="prometheus needs a free port from 9090 on"):
        choose(Ports(), lambda _: False)


def test_ports_follow_a_base() -> None:
    assert Ports.from_base(20_000) == Ports(20_000, 20_001, 20_002, 20_003, 20_004, 20_005)
    assert Ports.from_base(20_000).url("receiver") == "http://127.0.0.1:20004"


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
