"""What runs while the notary serves: the sequencer, the key register, and the chain in the background."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from mizheng.notary.anchoring.background import ChainKeepers
from mizheng.notary.anchoring.costs import load_spent
from mizheng.notary.anchoring.keeper import ChainKeeper
from mizheng.notary.auditing.keeper import AuditKeeper
from mizheng.notary.auditing.refusals import Refusals
from mizheng.notary.certificates.keeper import CertificateKeeper
from mizheng.notary.chain.beacon import newest_beacon
from mizheng.notary.chain.feerule import WEI, format_amount
from mizheng.notary.chain.node_board import load_node_states
from mizheng.notary.commands.console import complain
from mizheng.notary.companies.api_keys import RememberedCallers
from mizheng.notary.companies.enrolments import KeyRegister
from mizheng.notary.cosigning.keeper import WitnessKeeper
from mizheng.notary.cosigning.status import load_witness_status
from mizheng.notary.database import reading
from mizheng.notary.instance import Instance, damaged
from mizheng.notary.intake.deposits import Deposit, DepositRules
from mizheng.notary.intake.gathering import Gatherer
from mizheng.notary.keys.settled import load_issuers
from mizheng.notary.log.append import check_head
from mizheng.notary.log.following import PAUSE_SECONDS as FOLLOWING_PAUSE
from mizheng.notary.log.following import HeadFollower
from mizheng.notary.log.guard import LogBehindError
from mizheng.notary.log.hanging import PAUSE_SECONDS as HANGING_PAUSE
from mizheng.notary.log.hanging import HangingWriters
from mizheng.notary.log.head import load_head
from mizheng.notary.log.scrub import PAUSE_SECONDS, Scrubber
from mizheng.notary.log.sequencer import MAX_WAITING, Sequencer
from mizheng.notary.log.served import ServedLog
from mizheng.notary.log.tiles import LogCorruptError
from mizheng.notary.log.waiting import Room
from mizheng.notary.mailbox.keeper import MailboxKeeper
from mizheng.notary.metrics import Metrics
from mizheng.notary.pages.remembering import RememberedPages
from mizheng.notary.pages.setup import parse_pages
from mizheng.notary.people.setup import parse_people
from mizheng.notary.publishing.background import PublishKeeper
from mizheng.notary.timestamping.keeper import TimeStampKeeper
from mizheng.notary.visitors import Callers, Visitors
from mizheng.notary.webhooks.keeper import WebhookKeeper
from mizheng.notary.worker import Worker
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError


class Service:
    """Everything behind the routes."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.engine = instance.engine
        self.metrics = Metrics()
        self.sequencer: Sequencer[Deposit] = Sequencer(
            instance.engine,
            instance.signer,
            DepositRules(),
            guard=instance.guard,
            observe_batch=self.metrics.observe_batch,
        )
        self.gatherer = Gatherer(self.sequencer)
        self.checkers = ThreadPoolExecutor(2, "check")
        self.checking = Room(MAX_WAITING)
        self.served = ServedLog(instance.engine)
        self.publication = PublishKeeper(instance)
        self.publication.check()
        self.callers = RememberedCallers()
        self.rates = Callers()
        self.keys = KeyRegister(instance.engine, instance.keys, instance.signer, instance.guard)
        self.chains = ChainKeepers(instance)
        self.witnesses = WitnessKeeper(instance)
        self.time_stamps = TimeStampKeeper(instance)
        self.certificates = CertificateKeeper(instance, lambda: self.chains.profiles)
        self.audit = AuditKeeper(instance)
        self.refusals = Refusals(instance.engine)
        self.mailbox = MailboxKeeper(instance)
        self.webhooks = WebhookKeeper(instance)
        self.pages = parse_pages(instance.settings.pages)
        self.people = parse_people(instance.settings.people)
        self.remembered_pages = RememberedPages()
        self.visitors = Visitors(self.pages.per_minute, self.pages.address_header)
        self._scrubbing = Worker("scrub", Scrubber(instance.engine, instance.guard).step, PAUSE_SECONDS)
        self._following = Worker(
            "seen heads", HeadFollower(instance.engine, instance.guard).step, FOLLOWING_PAUSE
        )
        self._hanging = Worker("hanging writers", HangingWriters(instance.engine).step, HANGING_PAUSE)
        self.metrics.gauge(
            "mizheng_waiting_deposits",
            "deposits waiting for a commit",
            lambda: self.checking.taken + self.gatherer.waiting + self.sequencer.waiting,
        )
        self.metrics.gauge("mizheng_tree_size", "entries in the log", self._tree_size)
        self.metrics.gauges(
            "mizheng_commits_state",
            "1 for how the last commit of deposits ended: ok, disk-full or failed",
            ("state",),
            lambda: {(self.sequencer.commits,): 1},
        )
        self.metrics.gauge(
            "mizheng_webhook_messages_waiting", "messages to webhooks that wait", self.webhooks.waiting
        )
        self.metrics.gauges(
            "mizheng_webhooks", "webhooks, active or given up", ("state",), self.webhooks.figures
        )
        for publisher in self.publication.publishers:
            self.metrics.gauge(
                f"mizheng_published_size_{publisher.kind}",
                f"entries published to the {publisher.kind}",
                partial(getattr, publisher, "published_size"),
            )
        self.metrics.gauges(
            "mizheng_anchoring_held_up",
            "1 while something but time holds anchoring on a chain up",
            ("chain",),
            lambda: {(keeper.profile.name,): keeper.waiting_for is not None for keeper in self.chains},
        )
        self.metrics.gauges(
            "mizheng_anchoring_state",
            "1 for what anchoring on a chain waits for; ok if only for time",
            ("chain", "state"),
            lambda: {
                (keeper.profile.name, state): 1
                for keeper in self.chains
                for state in (keeper.waiting_for or "ok", *keeper.warnings)
            },
        )
        self.metrics.gauges(
            "mizheng_anchoring_balance",
            "what the account that pays for anchors has, in the chain's unit",
            ("chain",),
            lambda: {
                (keeper.profile.name,): keeper.balance / WEI
                for keeper in self.chains
                if keeper.balance is not None
            },
        )
        self.metrics.gauges(
            "mizheng_anchoring_spent",
            "what the anchors of the last 24 hours cost, in the chain's unit",
            ("chain",),
            self._spent,
        )
        self.metrics.gauges(
            "mizheng_chain_node_state",
            "1 for how a node of a chain is: ok, or what is wrong with it",
            ("chain", "node", "state"),
            self._node_figures,
        )
        self.metrics.gauges(
            "mizheng_timestamp_state",
            "1 for how a time-stamp authority answered last",
            ("authority", "state"),
            lambda: {(found.name, found.state): 1 for found in self.time_stamps.status()},
        )
        self.metrics.gauges(
            "mizheng_timestamp_size",
            "the largest head that a time-stamp authority stamped",
            ("authority",),
            lambda: {(found.name,): found.tree_size or 0 for found in self.time_stamps.status()},
        )
        self.metrics.gauge(
            "mizheng_timestamps_hold_until",
            "when the first time-stamp token stops counting unless renewed, unix time; 0: there is none",
            lambda: self.time_stamps.earliest_end() or 0,
        )
        if self.witnesses.setup is not None:
            self.metrics.gauge(
                "mizheng_witness_quorum_met",
                "1 while the published head has its quorum of witnesses",
                lambda: not self._witnesses("is_missing"),
            )
            self.metrics.gauge(
                "mizheng_witness_quorum_size",
                "the largest published head that had a quorum",
                lambda: self._witnesses("quorum_size"),
            )

    def start(self) -> None:
        # First what the chain knows of the log: nothing is signed before that.
        self.chains.start()
        self._complain()
        self.sequencer.start()
        self._scrubbing.start()
        self._following.start()
        self._hanging.start()
        self.publication.start()
        self.witnesses.start()
        self.time_stamps.start()
        self.certificates.start()
        self.audit.start()
        self.mailbox.start()
        self.webhooks.start()

    def stop(self) -> None:
        """Finish what is waiting; nothing that was answered depends on this."""
        self.sequencer.stop()
        self.checkers.shutdown()
        self._scrubbing.stop()
        self._following.stop()
        self._hanging.stop()
        # After the last commit; what it does not finish is published at the next start.
        self.publication.stop()
        self.witnesses.stop()
        self.time_stamps.stop()
        self.certificates.stop()
        self.audit.stop()
        self.mailbox.stop()
        self.webhooks.stop()
        self.chains.stop()
        self.engine.dispose()

    def _complain(self) -> None:
        """Say at the start what is wrong with the log and what helps; reads go on, deposits are refused."""
        try:
            with reading(self.engine) as connection:
                self.instance.guard.check(connection, load_head(connection))
        except LogBehindError as error:
            complain(error)
        except LogCorruptError as error:
            complain(damaged(error))

    def beacon(self) -> dict[str, object] | None:
        """The fields of BeaconAnswer, of the first chain that has a final block; None if there is none."""
        with reading(self.engine) as connection:
            for profile in self.chains.profiles:
                beacon = newest_beacon(connection, profile)
                if beacon is not None:
                    return beacon.reference.to_json()
        return None

    def readiness(self) -> dict[str, object]:
        """The fields of ReadyAnswer."""
        checks: dict[str, dict[str, str]] = {}
        nodes: dict[tuple[str, str], str] = {}
        witness_checks: dict[str, dict[str, str]] = {}
        is_issuer = True
        log = {"state": "ok"} if self.sequencer.refusal is None else {"state": self.sequencer.refusal}
        try:
            with reading(self.engine) as connection:
                head = load_head(connection)
                try:
                    check_head(connection, head)
                    self.instance.guard.check(connection, head)
                except LogBehindError as error:
                    log = {"state": error.state, "detail": str(error)}
                except LogCorruptError as error:
                    log = {"state": "damaged", "detail": str(error)}
                is_issuer = load_issuers(connection)[-1:] == [self.instance.keys.issuer.public]
                witnesses = load_witness_status(connection, self.witnesses.setup)
                witness_checks = {} if witnesses is None else witnesses.checks()
                nodes = self._load_nodes(connection)
            checks["database"] = {"state": "ok"}
        except SQLAlchemyError as error:
            checks["database"] = {"state": "unreachable", "detail": type(error).__name__}
        checks["sequencer"] = {"state": "ok" if self.sequencer.is_running else "stopped"}
        checks["log"] = log
        is_ready = all(check["state"] == "ok" for check in checks.values())
        # Not among those above: only the next deposit shows that there is room again.
        checks["commits"] = {"state": self.sequencer.commits}
        checks["issuer"] = {"state": "ok" if is_issuer else "key-replaced"}
        for (chain, node), state in nodes.items():
            checks[f"node.{chain}.{node}"] = {"state": state}
        for keeper in self.chains:
            checks[f"chain.{keeper.profile.name}"] = _chain_check(keeper)
            if keeper.seals is not None:
                checks[f"seals.{keeper.profile.name}"] = {"state": keeper.seals}
            for name, state in keeper.observers.items():
                # One observer may watch several chains: the one that it does not sign for is shown.
                if checks.get(f"observer.{name}", {"state": "ok"})["state"] == "ok":
                    checks[f"observer.{name}"] = {"state": state, "detail": keeper.profile.name}
        for kind, state in self.publication.states.items():
            checks[f"publication.{kind}"] = {"state": state}
        checks["certificates"] = {"state": self.certificates.state}
        checks.update(witness_checks)
        # Where the database cannot be read, nothing can be said of them, and this is known already.
        if checks["database"]["state"] == "ok":
            checks.update(self.time_stamps.checks())
        if not is_ready:
            return {"state": "not-ready", "checks": checks}
        is_whole = all(check["state"] == "ok" for check in checks.values())
        return {"state": "ready" if is_whole else "degraded", "checks": checks}

    def _witnesses(self, name: str) -> float:
        with reading(self.engine) as connection:
            return float(getattr(load_witness_status(connection, self.witnesses.setup), name, 0))

    def _node_figures(self) -> dict[tuple[str, ...], float]:
        with reading(self.engine) as connection:
            nodes = self._load_nodes(connection)
        return {(*name, state): 1 for name, state in nodes.items()}

    def _load_nodes(self, connection: Connection) -> dict[tuple[str, str], str]:
        return {
            (profile.name, node): state
            for profile in self.chains.profiles
            for node, state in load_node_states(connection, profile.name).items()
        }

    def _spent(self) -> dict[tuple[str, ...], float]:
        now = int(time.time())
        with reading(self.engine) as connection:
            return {
                (profile.name,): load_spent(connection, profile, now) / WEI
                for profile in self.chains.profiles
            }

    def _tree_size(self) -> float:
        with reading(self.engine) as connection:
            return load_head(connection).tree_size


def _chain_check(keeper: ChainKeeper) -> dict[str, str]:
    """What holds anchoring on a chain up, else what will, else ok; and what the account has."""
    states = [*filter(None, (keeper.waiting_for,)), *keeper.warnings]
    check = {"state": states[0] if states else "ok"}
    details = states[1:]
    if keeper.balance is not None:
        details.append(f"balance {format_amount(keeper.balance)} {keeper.profile.fee_rule.unit}")
    return {**check, "detail": "; ".join(details)} if details else check
