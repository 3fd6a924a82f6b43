"""Any order of events: never two winners, a 204 before its commit, a stranded caller, or a record
that contradicts the answers.

The world around the arbiter is a model: a ledger that commits in turn (and may be away), other
processes that claim the same row, a channel whose commands are queued as Asterisk's are.
"""

from collections import deque

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from broadcasts.domain.arbiter import Arbiter, Phase
from broadcasts.domain.broadcast import Broadcast
from broadcasts.domain.decisions import (
    AdmitRound,
    Answer,
    BeginRound,
    CommitClaim,
    CommitEnding,
    CommitReopen,
    Move,
    NoteHandedOver,
    NoteSessionEnded,
    Offer,
    Open,
    Return,
    WakeAt,
)
from broadcasts.domain.happenings import (
    BackInDialplan,
    Claim,
    ClaimDecided,
    DeadlineReached,
    Destroyed,
    EndingDecided,
    HandoverFailed,
    HungUp,
    LeftBroadcast,
    Opened,
    Reopened,
    RoundAdmitted,
    RowSeen,
    Unrecorded,
    WinnerLost,
    WinnerStarted,
)
from broadcasts.domain.lifecycle import STASIS_STATUS, StasisStatus, Status, sources
from broadcasts.domain.policy import OnFailedHandover, Policy
from broadcasts.domain.verdict import LOST, Verdict

APPLICATIONS = ("a", "b", "c")
DEADLINE = 1000.0

applications = st.sampled_from(APPLICATIONS)


class World(RuleBasedStateMachine):
    """One call, from its entry to wherever it ends up."""

    @initialize(
        candidates=st.lists(applications, unique=True),
        again=st.sampled_from(OnFailedHandover),
        rescue=st.booleans(),
        anyone=st.booleans(),
        refused=st.sampled_from(["", "", "bad filter"]),
        rounds=st.lists(st.sampled_from([0.0, 1.0, 400.0]), max_size=3).map(tuple),
    )
    def the_call_enters(self, candidates, again, rescue, anyone, refused, rounds):
        policy = Policy(on_failed_handover=again, rescue=rescue, any_name_may_claim=anyone)
        self.arbiter = Arbiter(Broadcast(tuple(candidates), DEADLINE, policy, rounds=rounds))
        self.wake: float | None = None  # when the timer goes off
        self.asked_to_admit: deque = deque()
        self.round = 1
        self.failed: set[str] = set()
        self.now = 0.0
        self.row: Status | None = None  # None: not recorded
        self.winner = ""
        self.session_over = False
        self.ledger: deque = deque()
        self.outage = False
        self.where = "ours"
        self.late_end = False  # whether our StasisEnd of a hand-over is still to come
        self.commands: deque = deque()
        self.asked: dict[int, str] = {}
        self.answers: dict[int, Verdict] = {}
        self.granted = ""  # who holds a 204 that was not taken back
        self.returned: list = []
        self.hung_up = False
        self.perform(self.arbiter.start(refused))

    # What the arbiter decides

    def perform(self, decisions):
        for decision in decisions:
            if isinstance(decision, Move | CommitEnding | CommitReopen | NoteHandedOver):
                self.wake = None
            match decision:
                case Open() | CommitClaim() | CommitEnding() | CommitReopen():
                    self.ledger.append(decision)
                case WakeAt(at):
                    self.wake = at
                case AdmitRound(first):
                    self.asked_to_admit.append(first)
                case BeginRound(number):
                    assert number > self.round, "a round began twice"
                    self.round = number
                case Offer(applications):
                    assert not self.failed & set(applications), "offered to one that had failed"
                case Answer(ticket, verdict):
                    self.answer(ticket, verdict)
                case Move(application):
                    assert application not in self.failed, "moved to one that had failed"
                    assert self.row is Status.CLAIMED, "moved before the claim was durable"
                    self.commands.append(("move", application))
                case Return(status):
                    assert status is not StasisStatus.SUCCESS, "sent back, yet claimed"
                    self.returned.append(status)
                    self.commands.append(("return", status))
                case NoteSessionEnded():
                    self.session_over = True

    def answer(self, ticket, verdict):
        assert ticket not in self.answers, "answered twice"
        self.answers[ticket] = verdict
        if verdict is Verdict.WON:
            assert self.winner == self.asked[ticket], "a 204 before its commit"
            assert self.granted in ("", self.asked[ticket]), "two winners"
            self.granted = self.asked[ticket]
        if verdict is Verdict.TAKEN:
            assert self.winner, "told taken, but nobody has it"

    def tell(self, happening):
        self.perform(self.arbiter.handle(happening))

    # The ledger, in turn

    @precondition(lambda self: self.ledger)
    @rule()
    def the_ledger_writes(self):
        entry = self.ledger.popleft()
        if self.outage or (self.row is None and not isinstance(entry, Open)):
            self.write_fails(entry)
        else:
            self.write(entry)

    def write_fails(self, entry):
        if isinstance(entry, CommitClaim):
            self.tell(ClaimDecided(entry.claim.ticket, Verdict.FAULT))
        else:
            self.tell(Unrecorded("away"))

    def write(self, entry):
        match entry:
            case Open(status, _):
                self.row = status
                self.tell(Opened())
            case CommitClaim(claim):
                won = self.move_row(Status.CLAIMED, claim.application)
                verdict = Verdict.WON if won else LOST[self.row]
                self.tell(ClaimDecided(claim.ticket, verdict, self.winner))
            case CommitEnding(status, _):
                gone = self.where in ("gone", "dialplan")
                assert gone or status is not Status.ABANDONED, "a caller who stays was given up"
                landed = self.move_row(status, self.winner)
                self.tell(EndingDecided(landed, self.row, self.winner))
            case CommitReopen(application, _):
                landed = self.move_row(Status.OPEN, "")
                if landed:
                    self.failed.add(application)
                    self.granted = ""
                self.tell(Reopened(self.row, self.now))

    def move_row(self, target, winner):
        if self.row not in sources(target):
            return False
        self.row, self.winner = target, winner
        return True

    @rule(outage=st.booleans())
    def the_database_comes_or_goes(self, outage):
        self.outage = outage

    # Claims

    @rule(application=applications, refusal=st.sampled_from([None, None, Verdict.NOT_ALLOWED]))
    def an_application_claims(self, application, refusal):
        ticket = len(self.asked) + 1
        self.asked[ticket] = application
        self.tell(Claim(ticket, application, "user", self.now, refusal))

    @precondition(lambda self: self.row is Status.OPEN)
    @rule(application=applications)
    def another_process_commits_a_claim(self, application):
        """Of one that has failed, too: by a claim that was judged before that."""
        offered = application in self.arbiter.broadcast.candidates
        if offered and self.move_row(Status.CLAIMED, application):
            assert not self.granted, "two winners"
            self.granted = application

    @precondition(lambda self: self.row is not None and not self.ledger)
    @rule()
    def a_hint_makes_us_look(self):
        self.tell(RowSeen(self.row, self.winner))

    # The clock and the rounds

    @rule(seconds=st.sampled_from([0.001, 1.0, 400.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @precondition(lambda self: self.wake is not None)
    @rule()
    def the_timer_goes_off(self):
        self.now, self.wake = max(self.now, self.wake), None
        self.tell(DeadlineReached(self.now))

    @precondition(lambda self: self.now >= self.arbiter.broadcast.deadline)
    @rule()
    def a_deadline_is_reported_that_nobody_waits_for(self):
        self.tell(DeadlineReached(self.now))

    @precondition(lambda self: self.asked_to_admit)
    @rule(skipped=st.integers(0, 2), admitted=st.lists(applications, unique=True, min_size=1))
    def a_later_round_is_judged(self, skipped, admitted):
        number = self.asked_to_admit.popleft() + skipped
        if number > len(self.arbiter.broadcast.rounds):
            self.tell(RoundAdmitted(None, (), self.now))
        else:
            self.tell(RoundAdmitted(number, tuple(admitted), self.now))

    @precondition(lambda self: self.arbiter.phase is Phase.MOVING)
    @rule()
    def no_hand_over_is_seen_in_time(self):
        # Asterisk carries a move out at once; one that takes longer than the watch never comes.
        self.commands = deque(command for command in self.commands if command[0] != "move")
        winner = self.arbiter.broadcast.winner
        self.tell(HandoverFailed("no StasisStart", self.now, winner))

    # The channel; a command is carried out some time after it was queued

    @precondition(lambda self: self.commands)
    @rule(registered=st.booleans(), end_comes=st.sampled_from(["first", "second", "late"]))
    def asterisk_carries_out_a_command(self, registered, end_comes):
        verb, target = self.commands.popleft()
        if self.where in ("gone", "dialplan"):
            self.tell(HungUp(self.now))  # 404 or 409 to our request
        elif verb == "return":
            was_ours, self.where = self.where == "ours", "dialplan"
            self.tell(LeftBroadcast(self.now) if was_ours else BackInDialplan(self.now))
        elif registered:
            self.move_channel(target, end_comes)
        else:
            self.tell(HandoverFailed("not registered", self.now, target))

    def move_channel(self, target, end_comes):
        signs = [WinnerStarted(target, self.now)]
        if self.where == "ours" and end_comes == "late":
            self.late_end = True
        elif self.where == "ours":
            signs.insert(0 if end_comes == "first" else 1, LeftBroadcast(self.now))
        self.where = target
        for sign in signs:
            self.tell(sign)

    @precondition(lambda self: self.late_end)
    @rule()
    def our_stasis_end_comes_late(self):
        self.late_end = False
        self.tell(LeftBroadcast(self.now))

    @precondition(lambda self: self.where != "gone")
    @rule()
    def the_caller_hangs_up(self):
        self.hung_up = True
        was, self.where = self.where, "gone"
        self.tell(HungUp(self.now))
        if was == "ours":
            self.tell(LeftBroadcast(self.now))
        self.tell(Destroyed(self.now, 16, "Normal Clearing"))

    @precondition(lambda self: self.where in APPLICATIONS)
    @rule()
    def the_winner_sends_the_call_to_the_dialplan(self):
        self.where = "dialplan"
        self.tell(BackInDialplan(self.now))

    @precondition(lambda self: self.where in APPLICATIONS)
    @rule()
    def the_winners_socket_is_lost(self):
        self.tell(WinnerLost(self.now))

    # What must hold

    @invariant()
    def an_ended_row_and_its_return_agree(self):
        if self.returned and self.row not in (None, Status.OPEN, Status.CLAIMED):
            assert self.returned[-1] in (STASIS_STATUS[self.row], StasisStatus.FAILED)

    def teardown(self):
        """Let everything come to rest; then nobody may be left waiting."""
        if not hasattr(self, "arbiter"):
            return
        self.outage = False
        for _ in range(50):
            self.settle()
        assert set(self.answers) == set(self.asked), "a claim was never answered"
        assert self.where != "ours", f"stranded in {self.arbiter.phase}"
        assert self.arbiter.phase not in (Phase.OFFERED, Phase.MOVING, Phase.REOPENING)
        if self.where in APPLICATIONS and not self.hung_up:
            assert self.arbiter.phase is Phase.WITH_WINNER
            assert self.row is Status.CLAIMED

    def settle(self):
        while self.ledger:
            self.the_ledger_writes()
        while self.commands:
            self.asterisk_carries_out_a_command(True, "second")
        if self.asked_to_admit:
            self.a_later_round_is_judged(0, APPLICATIONS)
        elif self.arbiter.phase is Phase.OFFERED:
            assert self.wake is not None, "nothing ends the offer"
            self.the_timer_goes_off()
        elif self.arbiter.phase is Phase.MOVING:
            self.no_hand_over_is_seen_in_time()


class RescueWorld(World):
    """The same from the loss of a winner on, which chance seldom leads to."""

    @initialize()
    def the_call_enters(self):
        offer_again = OnFailedHandover.OFFER_AGAIN
        super().the_call_enters([*APPLICATIONS], offer_again, True, False, "", ())
        self.the_ledger_writes()
        self.an_application_claims(APPLICATIONS[0], None)
        self.the_ledger_writes()
        self.asterisk_carries_out_a_command(True, "late")
        self.the_winners_socket_is_lost()


TestAnyOrder, TestAnyRescue = World.TestCase, RescueWorld.TestCase
TestAnyOrder.settings = TestAnyRescue.settings = settings(
    max_examples=400,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
