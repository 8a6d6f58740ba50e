"""What happened before somebody came: told to who joins with the past, and known to Why."""

from __future__ import annotations

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab import labs, protocol
from netless_lab.client import Client, Refused
from netless_lab.model.probe import Outcome, Ping, Probe
from netless_lab.protocol import ActionEvent, ChangesEvent, Explain, Message, ProbeEvent, StatusEvent, Subscribe
from netless_lab.session.past import MOST, Past

ITSELF, FAR, ODD = Ping("c1", "127.0.0.1"), Ping("c1", "10.0.0.1"), Ping("host", "10.0.0.2")


def ended(at: float, probe: Probe, result: str, *, wanted: bool = True) -> ProbeEvent:
    """A probe that ended so."""
    return ProbeEvent(at, Outcome(probe, result, "answered" if result == "answered" else "silence", ""), wanted)  # type: ignore[arg-type]


def known(*messages: Message) -> Past:
    """The past after these."""
    past = Past(lambda message: None)
    for message in messages:
        past.tell(message)
    return past


OPENING = (ended(1, ITSELF, "answered"), ended(2, ODD, "failed", wanted=False), ended(3, FAR, "failed"))


def test_why_asks_about_the_newest_surprise() -> None:
    """Of several probes it is the newest that did not end as wanted; an expected silence is none, but better than nothing."""
    assert known().lost is None and known(ended(1, ITSELF, "answered")).lost is None
    assert known(*OPENING).lost == FAR
    assert known(*OPENING, ended(4, Ping("host", "10.9.9.9"), "failed", wanted=False)).lost == FAR
    assert known(*OPENING, ended(4, Ping("c1", "10.0.0.9"), "error")).lost == Ping("c1", "10.0.0.9")


def test_why_asks_about_the_newest_end_of_a_probe() -> None:
    """What has been answered since is nothing to explain, though it was not answered once."""
    assert known(*OPENING, ended(4, FAR, "answered")).lost == ODD


def test_why_asks_about_what_this_step_sent() -> None:
    """What was lost in an earlier step is no question of this one, even where this one has lost nothing."""
    past = known(*OPENING)
    past.moved_on()
    assert past.lost is None
    past.tell(ended(4, ODD, "failed", wanted=False))
    assert past.lost == ODD


def test_the_past_is_bounded() -> None:
    """The oldest goes; what the kernel does by itself pushes nothing else out."""
    past = known(*OPENING, ChangesEvent(4, "learner", ()))
    for number in range(1000):
        past.tell(ChangesEvent(5 + number, "kernel", ()))
        past.tell(ended(5 + number, Ping("c1", f"10.1.0.{number}"), "failed"))
    assert len(past.happened) == 1 + MOST["by itself"] + MOST["packet"] and past.happened[0] == ChangesEvent(4, "learner", ())
    assert past.lost == Ping("c1", "10.1.0.999")


def test_what_one_command_did_to_a_thousand_things_is_bounded_too() -> None:
    """Whoever joins is told no more lines than a person can be shown; the newest is kept whole."""
    line = protocol.ChangeLine("a link is there")
    past = known(*(ChangesEvent(at, "learner", (line,) * 1000) for at in range(20)))
    assert [event.at for event in past.happened] == [17, 18, 19]
    past.tell(ChangesEvent(20, "learner", (line,) * 9000))
    assert [event.at for event in past.happened] == [20]


def joined(lab: Running, *, past: bool) -> list[protocol.AgentMessage]:
    """All that a client hears who joins now, in its order."""
    heard: list[protocol.AgentMessage] = []
    sock = labs.connect(lab.name)
    assert sock is not None
    with Client(sock, protocol.Hello(client="test", lab=lab.name), heard.append) as client:
        client.ask(Subscribe(past=past))
    return heard


@pytest.mark.kernel
def test_who_joins_hears_what_happened(lab: Running) -> None:
    """With the past: what the tutor and the learner did, and every packet, just as it was told then; without it only what is so now."""
    lab.reset("lab")
    lab.client.ask(Subscribe())
    lab.events.clear()
    lab.run()
    lab.sh("ip link add keepme type bridge")
    lab.client.ask(protocol.SendProbe(FAR))
    assert eventually(lambda: (lab.status(), any(isinstance(event, ChangesEvent) and event.who == "learner" for event in lab.events))[1])
    kinds = (ActionEvent, ProbeEvent)
    told = [event for event in lab.events if isinstance(event, kinds) or (isinstance(event, ChangesEvent) and event.who != "kernel")]
    heard = joined(lab, past=True)
    assert told and sorted(map(protocol.encode, told)) == sorted(line for line in map(protocol.encode, heard) if line in set(map(protocol.encode, told)))
    assert not any(isinstance(event, (*kinds, ChangesEvent)) for event in joined(lab, past=False))


@pytest.mark.kernel
def test_why_knows_what_others_lost() -> None:
    """A packet that another client sent is explained to who comes later and asks for none of his own; before there is one, it is refused as told."""
    with running() as lab:
        with pytest.raises(Refused) as refused:
            lab.client.ask(Explain())
        assert str(refused.value) == lab.status().offers["why"]
        lab.client.ask(Subscribe())
        lab.events.clear()
        lab.client.ask(protocol.SendProbe(Ping("c1", "203.0.113.99")))
        assert "why" not in [event.status.offers for event in lab.events if isinstance(event, StatusEvent)][-1]
        sock = labs.connect(lab.name)
        assert sock is not None
        with Client(sock, protocol.Hello(client="test", lab=lab.name)) as other:
            assert "203.0.113.99" in other.ask(Explain()).seen
        assert "127.0.0.1" in lab.client.ask(Explain(ITSELF)).seen, "a packet of one's own choice can be asked about at any time"
