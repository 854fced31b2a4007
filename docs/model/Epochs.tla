------------------------------- MODULE Epochs -------------------------------
(* SPDX-License-Identifier: Apache-2.0                                                                              *)
(* How a primary is made and unmade (../architecture.md, "Epochs"), as a state machine that TLC explores to the     *)
(* end.  README.md beside it says how to run it, what it claims and which code does what.                           *)
(*                                                                                                                  *)
(* How asynchrony is modelled.  The scheduler has no memory but `record': each of its actions is one durable step,  *)
(* and the orders that follow from it are added to `orders', which never shrinks.  So an order may come late,       *)
(* twice, out of turn or never: that is loss, delay, duplication, cut networks, a scheduler that dies right after   *)
(* it wrote the record, and a deposed one that still sends.  A member that is dead or cut off is one that takes no  *)
(* step.  Suspicion is free: an election may begin in any state.                                                    *)
(*                                                                                                                  *)
(* Broken = {} is the protocol; each word in Broken takes one rule away.                                            *)
EXTENDS Naturals, Sequences, FiniteSets, TLC
CONSTANTS Members,     \* all that ever are; an identity is a volume, and what was promised and is held there
          Later,       \* how many of them are no members at first ("members")
          D,           \* acknowledgements a commit waits for at first
          MaxWrites, MaxEpochs, MaxConfigs,
          Mariadb,     \* TRUE: a restart forgets what was received and not applied; FALSE: the relay log survives (MySQL)
          Features,    \* what may happen at all: subset of {"reconf","solo","rebuild","known","d","lost","archive",
                       \*   "executor","window","visible","back","local","members","seed"}
          Broken

Writes == 1..MaxWrites
VARIABLES record,      \* the durable truth, in the store
          past,        \* copy: {} or {an earlier record}; back: it was put back; top: the highest epoch ever elected ("back");
                       \*   fences: ever sent, with the members of then (`Sets'); born: members ever; out: of those, whom the
                       \*   order to give the volume back was ever sent for ("members")
          orders,      \* every order ever sent
          reports,     \* of fenced members, for the epoch that is being elected
          read,        \* {} or {set}: what the primary held, read for a change of the record
          promise,     \* of each member, durable: 10 * epoch + config
          peers,       \* ... and who the members are: of the last order that said so, s at the pair n (`Sets')
          half,        \* the executor died while it carried the promised order out, and mysqld lived on
          executed,    \* in its own binlog: durable
          relay,       \* received, not applied (MariaDB only; otherwise what is received goes straight to executed)
          ever,        \* MariaDB only: what it received since it was last certified, kept or not; with 0 in it, its executor
                       \*   could not read the relay log before a restart, so it is not known
          amnesiac,    \* has restarted since it last contained what the primary had executed
          writable,
          opened,      \* the epoch in which it was last made writable; its promise may be later already ("executor")
          semisync,    \* source side: 0 = off, else how many acknowledgements a commit waits for
          source,      \* whom its receiver reads from; itself = the receiver is stopped
          acking,      \* replica side of semi-sync
          shut,        \* members that this primary refuses as replicas
          pending,     \* clients that wait for their commit
          passed,      \* of those, commits that semi-sync lets through, but that are not acknowledged yet ("window")
          acks,        \* write -> members that sent an acknowledgement (it may be seen late)
          acked,       \* writes acknowledged to a client
          late,        \* writes begun at a primary when a later epoch's primary was open already
          wrote,       \* of each write, in their order: who wrote it, and whether that was a local one ("local")
          gone,        \* members whose volume is lost
          taken,       \* former members whose volume was given back
          seals,       \* what the archive holds of primaries that closed
          sealed,      \* of each member, durable: never open again at this pair or below
          led          \* of each member, durable: 10 * the last epoch in which it was told to be the primary, + 1 once the
                       \*   data that it had then are thrown away ("back")
vars == <<record,past,orders,reports,read,promise,peers,half,executed,relay,ever,amnesiac,writable,opened,semisync,source,
          acking,shut,pending,passed,acks,acked,late,wrote,gone,taken,seals,sealed,led>>
sched  == <<record,past,orders,reports,read>>
log    == <<executed,relay,ever,amnesiac>>
role   == <<writable,opened,semisync,source,acking,shut,pending,passed>>
hist   == <<acks,acked,late,wrote>>
volume == <<gone,taken,seals,sealed,led>>
member == <<promise,peers,half,log,role,hist,volume>>

Without(rule) == rule \in Broken
With(feature) == feature \in Features
Epoch(n) == n \div 10
Now == record.epoch * 10 + record.config
P == record.primary
Min(S) == CHOOSE x \in S : \A y \in S : x <= y
Max(S) == CHOOSE x \in S : \A y \in S : x >= y
Has(m) == executed[m] \cup relay[m]
Accepts(m, n) == IF Without("config_in_promise") THEN Epoch(n) >= Epoch(promise[m]) ELSE n >= promise[m]
Sets == With("back") /\ With("members")
\* With the pair goes the set of members, if the order says one.
Promise(m, n, w) ==
  /\ promise' = [promise EXCEPT ![m] = IF n > @ THEN n ELSE @]
  /\ peers' = IF Sets /\ w # {} /\ n >= peers[m].n THEN [peers EXCEPT ![m] = [n |-> n, s |-> w]] ELSE peers
Settle(m, is_half) == half' = [half EXCEPT ![m] = is_half]

\* w: who the members are then. A primary lets in nobody else.
Said(w) == IF Sets THEN w ELSE {}
Promote(m, n, d, s, w) == [t |-> "promote", n |-> n, m |-> m, s |-> m, k |-> d,
                           b |-> s \cup (IF Without("strangers_shut_out") THEN {} ELSE Members \ w), w |-> Said(w)]
Follow(m, n, s, ack, w) == [t |-> "follow", n |-> n, m |-> m, s |-> s, k |-> ack, b |-> {}, w |-> Said(w)]
Rebuild(m, n) == [t |-> "rebuild", n |-> n, m |-> m, s |-> m, k |-> 0, b |-> {}, w |-> {}]

\* With "lost" one member is a spare, with nothing on its volume: it was added just now.
Init == \E p \in Members : \E spare \in (IF With("lost") /\ Later = 0 THEN {{m} : m \in Members \ {p}} ELSE {{}}) :
  \E later \in {l \in SUBSET (Members \ {p}) : Cardinality(l) = Later} :
  LET all == Members \ later  first == all \ spare  alone == first = {p}  waits == IF alone THEN 0 ELSE D
      opens == Promote(p, 11, waits, spare, all) IN
  /\ record = [epoch |-> 1, config |-> 1, electing |-> FALSE, mode |-> IF alone THEN "solo" ELSE "normal",
               primary |-> p, ackers |-> first \ {p}, d |-> D, waits |-> waits, leaving |-> {}, joining |-> {}, shut |-> spare,
               floor |-> {}, open |-> IF With("archive") THEN 11 ELSE 0, doubt |-> FALSE,
               members |-> all, since |-> IF Sets THEN 11 ELSE 0]
  /\ past = [copy |-> {}, back |-> FALSE, top |-> 1, fences |-> {}, born |-> all, out |-> {}]
  /\ orders = {opens} \cup {Follow(m, 11, p, 1, all) : m \in first \ {p}}
  /\ reports = {} /\ read = {}
  /\ promise = [m \in Members |-> IF m \in first THEN 11 ELSE 0]
  /\ peers = [m \in Members |-> IF Sets /\ m \in first THEN [n |-> 11, s |-> all] ELSE [n |-> 0, s |-> {}]]
  /\ half = [m \in Members |-> FALSE]
  /\ executed = [m \in Members |-> {}] /\ relay = executed /\ ever = executed
  /\ amnesiac = [m \in Members |-> FALSE]
  /\ writable = [m \in Members |-> m = p] /\ opened = [m \in Members |-> IF m = p THEN 1 ELSE 0]
  /\ semisync = [m \in Members |-> IF m = p THEN waits ELSE 0]
  /\ source = [m \in Members |-> IF m \in first THEN p ELSE m]
  /\ acking = [m \in Members |-> m \in first \ {p}]
  /\ shut = [m \in Members |-> IF m = p THEN opens.b ELSE {}]
  /\ pending = executed /\ passed = executed
  /\ acks = [w \in Writes |-> {}] /\ acked = {} /\ late = {} /\ wrote = <<>>
  /\ gone = {} /\ taken = {} /\ seals = {} /\ sealed = [m \in Members |-> 0]
  /\ led = [m \in Members |-> IF m = p THEN 10 ELSE 0]

------------------------------------------------------------------------------
(* mysqld, its clients, replication *)
LaterIsOpen(m) == \E o \in Members : writable[o] /\ opened[o] > opened[m]
NextWrite == Len(wrote) + 1
WrittenBy(m, alone) == wrote' = Append(wrote, IF With("local") THEN [m |-> m, local |-> alone] ELSE [m |-> 0, local |-> FALSE])
Local == {w \in DOMAIN wrote : wrote[w].local}
Write(m) ==                     \* AFTER_SYNC: in the primary's own binlog before anything else
  /\ writable[m] /\ NextWrite <= MaxWrites
  /\ executed' = [executed EXCEPT ![m] = @ \cup {NextWrite}]
  /\ pending' = [pending EXCEPT ![m] = @ \cup {NextWrite}]
  /\ WrittenBy(m, FALSE)
  /\ late' = IF LaterIsOpen(m) THEN late \cup {NextWrite} ELSE late
  /\ UNCHANGED <<sched,promise,peers,half,relay,ever,amnesiac,writable,opened,semisync,source,acking,shut,passed,acks,acked,
                volume>>
LocalWrite(m) ==                \* a statement on a replica that reaches its binlog all the same: nobody is told that it is safe
  /\ With("local") /\ ~writable[m] /\ NextWrite <= MaxWrites
  /\ executed' = [executed EXCEPT ![m] = @ \cup {NextWrite}]
  /\ WrittenBy(m, TRUE)
  /\ UNCHANGED <<sched,promise,peers,half,relay,ever,amnesiac,role,acks,acked,late,volume>>
Released(m, w) == semisync[m] = 0 \/ Cardinality(acks[w]) >= semisync[m]
Pass(m, w) ==                   \* semi-sync has looked: this commit waits no more, whatever is switched now
  /\ With("window") /\ w \in pending[m] \ passed[m] /\ Released(m, w)
  /\ passed' = [passed EXCEPT ![m] = @ \cup {w}]
  /\ UNCHANGED <<sched,promise,peers,half,log,writable,opened,semisync,source,acking,shut,pending,hist,volume>>
Ack(m, w) ==
  /\ w \in pending[m]
  /\ IF With("window") THEN w \in passed[m] ELSE Released(m, w)
  /\ acked' = acked \cup {w}
  /\ pending' = [pending EXCEPT ![m] = @ \ {w}] /\ passed' = [passed EXCEPT ![m] = @ \ {w}]
  /\ late' = IF Without("late_ack_allowed") /\ LaterIsOpen(m) THEN late \cup {w} ELSE late
  /\ UNCHANGED <<sched,promise,peers,half,log,writable,opened,semisync,source,acking,shut,acks,wrote,volume>>
Receive(m) ==                   \* in the source's order; the acknowledgement leaves only once the write is on disk
  LET s == source[m]  missing == executed[s] \ Has(m) IN
  /\ s # m /\ m \notin shut[s] /\ missing # {}
  /\ LET w == Min(missing) IN
     /\ IF Mariadb THEN /\ relay' = [relay EXCEPT ![m] = @ \cup {w}]
                        /\ ever' = [ever EXCEPT ![m] = @ \cup {w}] /\ UNCHANGED executed
                   ELSE executed' = [executed EXCEPT ![m] = @ \cup {w}] /\ UNCHANGED <<relay,ever>>
     /\ acks' = IF acking[m] /\ w \in pending[s] THEN [acks EXCEPT ![w] = @ \cup {m}] ELSE acks
  /\ UNCHANGED <<sched,promise,peers,half,amnesiac,role,acked,late,wrote,volume>>
Apply(m) ==
  /\ relay[m] # {}
  /\ executed' = [executed EXCEPT ![m] = @ \cup relay[m]] /\ relay' = [relay EXCEPT ![m] = {}]
  /\ UNCHANGED <<sched,promise,peers,half,ever,amnesiac,role,hist,volume>>

\* Read-only, sessions ended and never answered, semi-sync off, receiver stopped.
Quiet(m) == /\ writable' = [writable EXCEPT ![m] = FALSE] /\ opened' = [opened EXCEPT ![m] = 0]
            /\ semisync' = [semisync EXCEPT ![m] = 0]
            /\ source' = [source EXCEPT ![m] = m] /\ acking' = [acking EXCEPT ![m] = FALSE]
            /\ pending' = [pending EXCEPT ![m] = {}] /\ passed' = [passed EXCEPT ![m] = {}]
            /\ shut' = [shut EXCEPT ![m] = {}]
Release(m, rule) == acked' = IF Without(rule) THEN acked \cup pending[m] ELSE acked
Restart(m) ==                   \* mysqld ends, in whatever way, and comes back
  /\ writable[m] \/ source[m] # m \/ relay[m] # {}
  /\ Quiet(m) /\ Release(m, "no_sigterm_while_commits_wait")
  /\ relay' = [relay EXCEPT ![m] = {}]
  /\ amnesiac' = IF Mariadb /\ ~writable[m] THEN [amnesiac EXCEPT ![m] = TRUE] ELSE amnesiac
  /\ LET read_now == IF Without("known_over_restarts") THEN relay[m] ELSE ever[m] IN
     ever' \in IF Mariadb /\ ~writable[m] /\ With("known")
              THEN {[ever EXCEPT ![m] = read_now], [ever EXCEPT ![m] = @ \cup {0}]} ELSE {ever}
  /\ \/ UNCHANGED executed
     \/ Without("no_truncating_recovery") /\ writable[m] /\ executed[m] # {}
        /\ executed' = [executed EXCEPT ![m] = @ \ {Max(@)}]
  /\ promise' = IF Without("durable_promise") THEN [promise EXCEPT ![m] = 0] ELSE promise
  /\ UNCHANGED <<sched,peers,half,acks,late,wrote,volume>>
LoseVolume(m) ==                \* data and promise; who comes back in its place is somebody else (a spare)
  /\ With("lost") /\ gone = {} /\ promise[m] > 0
  /\ Quiet(m)
  /\ executed' = [executed EXCEPT ![m] = {}] /\ relay' = [relay EXCEPT ![m] = {}] /\ UNCHANGED ever
  /\ gone' = {m}
  /\ promise' = IF Without("volume_is_identity") \/ Without("promise_lost_is_identity_lost")
                THEN [promise EXCEPT ![m] = 0] ELSE promise
  /\ amnesiac' = [amnesiac EXCEPT ![m] = Without("promise_lost_is_identity_lost")]
  /\ UNCHANGED <<sched,peers,half,hist,taken,seals,sealed,led>>
TakeVolume(m) ==                \* it is given back, at any time after the order was sent
  /\ m \in past.out /\ m \notin taken
  /\ Quiet(m)
  /\ executed' = [executed EXCEPT ![m] = {}] /\ relay' = [relay EXCEPT ![m] = {}]
  /\ taken' = taken \cup {m}
  /\ UNCHANGED <<sched,promise,peers,half,ever,amnesiac,hist,gone,seals,sealed,led>>
Seed(m, o) ==                   \* a new member begins with a copy of what somebody has executed at some moment
  /\ With("seed") /\ m \in record.members /\ promise[m] = 0 /\ Has(m) = {} /\ o \in record.members
  /\ executed[o] # {} /\ executed' = [executed EXCEPT ![m] = executed[o]]
  /\ UNCHANGED <<sched,promise,peers,half,relay,ever,amnesiac,role,hist,volume>>
Alive(m) == m \notin taken /\ (m \notin gone \/ Without("volume_is_identity") \/ Without("promise_lost_is_identity_lost"))

(* the executor *)
LateStep(o) ==                  \* only where a rule is taken away: a step of an older plan ends after the fence has reported
  /\ Without("old_plan_is_over") /\ o.t = "follow" /\ o.n < promise[o.m] /\ promise[o.m] % 10 = 0 /\ source[o.m] = o.m
  /\ source' = [source EXCEPT ![o.m] = o.s] /\ acking' = [acking EXCEPT ![o.m] = (o.k = 1)]
  /\ UNCHANGED <<sched,promise,peers,half,log,writable,opened,semisync,shut,pending,passed,hist,volume>>
Fences == IF Sets THEN past.fences ELSE {[e |-> e, s |-> {}] : e \in 2..past.top}
Reports(m) == m \in record.members \/ (Sets /\ record.doubt) \/ Without("members_report")
Fence(m, e, w) ==               \* of any epoch ever elected, as late as it likes; to a former member, too
  /\ m \in past.born /\ Alive(m) /\ (promise[m] < 10 * e \/ (promise[m] = 10 * e /\ half[m]))
  /\ Promise(m, 10 * e, w) /\ Settle(m, FALSE)
  /\ IF (Without("receiver_stops_first") /\ ~writable[m]) \/ (Without("adopted_is_quieted") /\ half[m])
     THEN UNCHANGED role ELSE Quiet(m)
  /\ Release(m, "kill_holds_commits_back")
  /\ reports' = IF e = record.epoch /\ record.electing /\ Reports(m)
                THEN reports \cup {[m |-> m, s |-> IF Without("report_received") THEN executed[m] ELSE Has(m),
                                    a |-> amnesiac[m] /\ ~Without("amnesiac_does_not_count"), v |-> ever[m], w |-> peers'[m]]}
                ELSE reports
  /\ UNCHANGED <<record,past,orders,read,log,acks,late,wrote,volume>>
SemiSyncOffFirst(m) ==          \* only where a rule is taken away: it goes off while sessions are alive
  /\ Without("clients_end_before_semisync") /\ writable[m] /\ semisync[m] > 0 /\ promise[m] < 10 * record.epoch
  /\ semisync' = [semisync EXCEPT ![m] = 0]
  /\ UNCHANGED <<sched,promise,peers,half,log,writable,opened,source,acking,shut,pending,passed,hist,volume>>
MayPromote(o) == /\ o.t = "promote" /\ Alive(o.m) /\ Accepts(o.m, o.n)
                 /\ o.n > sealed[o.m] \/ Without("sealed_stays_closed")
Leads(o) == led' = IF With("back") THEN [led EXCEPT ![o.m] = 10 * Epoch(o.n)] ELSE led   \* durable with the promise
DoPromote(o) ==
  /\ MayPromote(o)
  /\ ~(writable[o.m] /\ semisync[o.m] = o.k /\ promise[o.m] = o.n /\ ~half[o.m])
  /\ Promise(o.m, o.n, o.w) /\ Settle(o.m, FALSE)
  /\ writable' = [writable EXCEPT ![o.m] = TRUE] /\ opened' = [opened EXCEPT ![o.m] = Epoch(o.n)]
  /\ semisync' = [semisync EXCEPT ![o.m] = o.k]
  /\ source' = [source EXCEPT ![o.m] = o.m] /\ acking' = [acking EXCEPT ![o.m] = FALSE]
  /\ shut' = [shut EXCEPT ![o.m] = o.b]
  /\ relay' = [relay EXCEPT ![o.m] = {}] /\ amnesiac' = [amnesiac EXCEPT ![o.m] = FALSE] /\ ever' = [ever EXCEPT ![o.m] = {}]
  /\ Leads(o)
  /\ UNCHANGED <<sched,executed,pending,passed,hist,gone,taken,seals,sealed>>
DoFollow(o) ==
  /\ o.t = "follow" /\ Alive(o.m) /\ Accepts(o.m, o.n)
  /\ ~(source[o.m] = o.s /\ acking[o.m] = (o.k = 1) /\ promise[o.m] = o.n /\ ~half[o.m])
  /\ Has(o.m) \subseteq executed[o.s] \/ Without("errant_does_not_follow")
  /\ Promise(o.m, o.n, o.w) /\ Settle(o.m, FALSE)
  /\ writable' = [writable EXCEPT ![o.m] = FALSE] /\ opened' = [opened EXCEPT ![o.m] = 0]
  /\ semisync' = [semisync EXCEPT ![o.m] = 0]
  /\ pending' = [pending EXCEPT ![o.m] = {}] /\ passed' = [passed EXCEPT ![o.m] = {}]
  /\ source' = [source EXCEPT ![o.m] = o.s] /\ acking' = [acking EXCEPT ![o.m] = (o.k = 1)]
  /\ shut' = [shut EXCEPT ![o.m] = {}]
  /\ acks' = IF o.k = 1 /\ o.m \notin shut[o.s]      \* on connecting, what it holds counts as acknowledged
             THEN [w \in Writes |-> IF w \in pending[o.s] \cap Has(o.m) THEN acks[w] \cup {o.m} ELSE acks[w]] ELSE acks
  /\ UNCHANGED <<sched,log,acked,late,wrote,volume>>
DoRefuse(o) ==                  \* an errant member promises, stops, and does not follow
  /\ o.t = "follow" /\ Alive(o.m) /\ Accepts(o.m, o.n) /\ (promise[o.m] # o.n \/ half[o.m])
  /\ ~(Has(o.m) \subseteq executed[o.s])
  /\ Promise(o.m, o.n, o.w) /\ Settle(o.m, FALSE) /\ Quiet(o.m)
  /\ UNCHANGED <<sched,log,hist,volume>>
DoRebuild(o) ==                 \* the old data are gone
  /\ o.t = "rebuild" /\ Alive(o.m) /\ Accepts(o.m, o.n) /\ Has(o.m) # {}
  /\ Promise(o.m, o.n, o.w) /\ Settle(o.m, FALSE) /\ Quiet(o.m)
  /\ executed' = [executed EXCEPT ![o.m] = {}] /\ relay' = [relay EXCEPT ![o.m] = {}]
  /\ amnesiac' = IF Mariadb THEN [amnesiac EXCEPT ![o.m] = TRUE] ELSE amnesiac
  /\ ever' = IF Mariadb THEN [ever EXCEPT ![o.m] = {0}] ELSE ever
  /\ led' = IF led[o.m] % 10 = 0 /\ led[o.m] > 0 /\ With("back") THEN [led EXCEPT ![o.m] = @ + 1] ELSE led
  /\ UNCHANGED <<sched,hist,gone,taken,seals,sealed>>
\* The executor dies in the middle of an order: the promise is durable, some of the steps are done, mysqld lives on as it
\* is. Whoever adopts it knows the promise only. The last alternative: all is done, but nobody saw the end.
CutFence(m, e, w) ==
  /\ With("executor") /\ m \in past.born /\ Alive(m) /\ promise[m] < 10 * e
  /\ Promise(m, 10 * e, w) /\ Settle(m, TRUE)
  /\ UNCHANGED <<sched,log,role,hist,volume>>
CutPromote(o) ==
  /\ With("executor") /\ MayPromote(o) /\ promise[o.m] # o.n
  /\ Promise(o.m, o.n, o.w) /\ Settle(o.m, TRUE)
  /\ IF writable[o.m] THEN UNCHANGED <<source,acking>>
     ELSE source' = [source EXCEPT ![o.m] = o.m] /\ acking' = [acking EXCEPT ![o.m] = FALSE]
  /\ \/ UNCHANGED <<shut,semisync,writable,opened>>
     \/ shut' = [shut EXCEPT ![o.m] = o.b] /\ UNCHANGED <<semisync,writable,opened>>
     \/ /\ shut' = [shut EXCEPT ![o.m] = o.b] /\ semisync' = [semisync EXCEPT ![o.m] = o.k]
        /\ \/ UNCHANGED <<writable,opened>>
           \/ writable' = [writable EXCEPT ![o.m] = TRUE] /\ opened' = [opened EXCEPT ![o.m] = Epoch(o.n)]
  /\ amnesiac' = [amnesiac EXCEPT ![o.m] = FALSE] /\ ever' = [ever EXCEPT ![o.m] = relay[o.m]]
  /\ Leads(o)
  /\ UNCHANGED <<sched,executed,relay,pending,passed,hist,gone,taken,seals,sealed>>
CutFollow(o) ==
  /\ With("executor") /\ o.t = "follow" /\ Alive(o.m) /\ Accepts(o.m, o.n) /\ promise[o.m] # o.n
  /\ Promise(o.m, o.n, o.w) /\ Settle(o.m, TRUE)
  /\ UNCHANGED role \/ Quiet(o.m)
  /\ UNCHANGED <<sched,log,hist,volume>>
Seal(m) ==                      \* closed for good at this pair; only then read, and told to the archive
  /\ With("archive") /\ record.mode = "solo" /\ m = P /\ Alive(m) /\ sealed[m] < promise[m]
  /\ (~writable[m] /\ pending[m] = {}) \/ Without("sealed_when_closed")
  /\ sealed' = IF writable[m] THEN sealed ELSE [sealed EXCEPT ![m] = promise[m]]
  /\ seals' = seals \cup {[m |-> m, n |-> promise[m], s |-> executed[m]]}
  /\ UNCHANGED <<sched,promise,peers,half,log,role,hist,gone,taken,led>>

------------------------------------------------------------------------------
(* the scheduler: every action is one durable step of the record, or a read *)
ElectAt(e, w) ==
  /\ e <= MaxEpochs
  /\ record' = [record EXCEPT !.epoch = e, !.config = 0, !.electing = TRUE, !.leaving = {}, !.joining = {}, !.waits = 0]
  /\ past' = [past EXCEPT !.top = IF e > @ THEN e ELSE @, !.fences = @ \cup (IF Sets THEN {[e |-> e, s |-> w]} ELSE {})]
  /\ reports' = {} /\ read' = {}
  /\ UNCHANGED <<orders,member>>
Elect == ~record.doubt /\ ElectAt(record.epoch + 1, IF Without("fence_says_members") THEN {} ELSE record.members)
Backup ==                       \* of the store, at any moment
  /\ With("back") /\ past.copy = {} /\ ~past.back
  /\ past' = [past EXCEPT !.copy = {record}]
  /\ UNCHANGED <<record,orders,reports,read,member>>
PutBack ==                      \* at any later moment. Who starts on it knows that it was put back; every order that was sent is
  /\ \E r \in past.copy :      \*   still on its way.
       record' = [r EXCEPT !.doubt = ~Without("put_back_is_noticed"), !.electing = FALSE]
  /\ past' = [past EXCEPT !.copy = {}, !.back = TRUE]
  /\ reports' = {} /\ read' = {}
  /\ UNCHANGED <<orders,member>>
Promised == Max({Epoch(promise[m]) : m \in Members})
Census ==                       \* an election above all that anybody has promised, which asks everybody
  /\ record.doubt /\ (~record.electing \/ Promised > record.epoch)
  /\ ElectAt(1 + IF Promised > record.epoch THEN Promised ELSE record.epoch, {})

Fenced == {r.m : r \in reports}
Needed == Cardinality(record.ackers) - record.d + (IF Without("quorum") THEN 0 ELSE 1)
\* What an acker wrote itself, in no epoch of its own (the floor has what it wrote then), and no other report has: what was
\* acknowledged since the floor was read was written by the primary of the record. So it may be left out of T.
LeftOut == IF ~With("local") \/ Without("local_is_left_out") THEN {} ELSE
  LET own(r) == {w \in r.s : wrote[w].m = r.m \/ Without("left_out_is_own")}
      others(r) == IF Without("primary_is_no_replica") THEN {} ELSE UNION {q.s : q \in reports \ {r}}
      whose == IF Without("primary_is_no_replica") THEN reports ELSE {r \in reports : r.m \in record.ackers}
  IN UNION {own(r) \ (record.floor \cup others(r)) : r \in whose}
\* Nobody wrote on it. On MySQL a local write may be XA ROLLBACK of a replicated transaction: it undoes what was acknowledged, so
\* who holds one of its own is not chosen. (P's own writes are those of a primary.)
Untouched(c) ==
  \/ ~With("local") \/ Mariadb \/ c = P
  \/ \A w \in executed[c] \ record.floor : ~(wrote[w].m = c) \/ \E q \in reports : q.m # c /\ w \in q.s
ByAckers(c) ==
  LET R == {r \in reports : r.m \in record.ackers}
      counting == {r \in R : ~r.a \/ (With("known") /\ 0 \notin r.v)}
      T == UNION {r.s : r \in R} \cup (IF With("known") THEN UNION {r.v : r \in {q \in R : q.a /\ 0 \notin q.v}} ELSE {})
  IN /\ record.mode = "normal" \/ Without("solo_waits_for_primary")
     /\ record.ackers # {}
     /\ Cardinality(counting) >= Needed
     /\ T \ LeftOut \subseteq (IF Without("drain") THEN Has(c) ELSE executed[c])
ByPrimary(c) == \E r \in reports : /\ r.m = P /\ r.s \subseteq executed[c]
                                     /\ ~(r.a /\ Without("promise_lost_is_identity_lost"))
ByArchive(c) == \E z \in seals : z.m = P /\ (z.n >= record.open \/ Without("seal_of_last_pair")) /\ z.s \subseteq executed[c]
\* In doubt: who the members are says the newest pair that the record, or anybody who was asked, knows of.
Newest == IF ~Sets \/ ~record.doubt \/ Without("newest_members_are_asked") THEN record.members ELSE
  LET said == {r.w : r \in reports} \cup {[n |-> record.since, s |-> record.members]}
  IN (CHOOSE x \in said : \A y \in said : x.n >= y.n).s
\* Of a record that was put back nothing is used but its floor, which every later primary has executed. Everybody is asked. T is
\* all that anybody holds; or what the member holds that was the last to be told to be the primary, if it has these data still.
ByAll(c) ==
  LET asked == Fenced \cap Newest
      all == UNION {r.s : r \in {q \in reports : q.m \in asked}}
  IN /\ asked = Newest \/ Without("all_are_asked")
     /\ c \in asked
     /\ \/ all \subseteq executed[c]
        \/ \E last \in asked : /\ \A o \in asked : led[last] \div 10 >= led[o] \div 10
                               /\ led[last] % 10 = 0 \/ Without("thrown_away_is_told")
                               /\ \A r \in reports : r.m = last => r.s \subseteq executed[c]
Complete(c) == /\ c \in Fenced
               /\ IF record.doubt /\ ~Without("old_record_proves_nothing") THEN ByAll(c)
                  ELSE ByAckers(c) \/ ByPrimary(c) \/ ByArchive(c)
               /\ record.floor \subseteq executed[c] \/ Without("floor")
               /\ Untouched(c)
NewD(N) == IF With("d") THEN 1..Cardinality(N) ELSE {D}
NewAckers(c) == {N \in SUBSET ((IF record.doubt THEN Fenced \cap Newest ELSE Fenced) \ {c}) :
                   N = {} \/ \E d \in NewD(N) : Cardinality(N) >= d}
Contained(c, N) == \A r \in reports : r.m \in N => r.s \subseteq executed[c]
ToShut(c, N) == IF Without("unfenced_shut_out") THEN {} ELSE Newest \ (Fenced \cup N \cup {c})
Orders(c, N, d) == LET n == record.epoch * 10 + 1 IN
  {Promote(c, n, IF N = {} THEN 0 ELSE d, ToShut(c, N), Newest)} \cup
  {Follow(m, n, c, IF m \in N \/ (Without("named_before_told") /\ N # {}) THEN 1 ELSE 0, Newest) : m \in Newest \ {c}}
\* With no ackers it is solo at once: without that, three members could not show a wrong choice (who has what is
\* missing is no acker of who lacks it).
Choose(c, N) == \E d \in (IF N = {} THEN {D} ELSE NewD(N)) :
  /\ record.electing
  /\ Complete(c) \/ (Without("fence") /\ c \in record.ackers)
  /\ Contained(c, N)
  /\ record' = [epoch |-> record.epoch, config |-> 1, electing |-> FALSE, mode |-> IF N = {} THEN "solo" ELSE "normal",
                primary |-> c, ackers |-> N, d |-> d, waits |-> IF N = {} THEN 0 ELSE d, leaving |-> {},
                joining |-> {}, shut |-> ToShut(c, N), floor |-> executed[c],
                open |-> IF With("archive") THEN record.epoch * 10 + 1 ELSE 0, doubt |-> FALSE,
                members |-> Newest, since |-> IF Sets THEN record.epoch * 10 + 1 ELSE 0]
  /\ orders' = orders \cup Orders(c, N, d)
  /\ reports' = {} /\ read' = {}
  /\ UNCHANGED <<past,member>>
PromoteFirst(c, N) ==           \* only where a rule is taken away: told before it is written down
  /\ Without("record_before_orders") /\ record.electing /\ Complete(c) /\ Contained(c, N) /\ N # {}
  /\ ~(Orders(c, N, D) \subseteq orders)
  /\ orders' = orders \cup Orders(c, N, D)
  /\ UNCHANGED <<record,past,reports,read,member>>

Keeping == ~record.electing /\ ~record.doubt /\ record.config < MaxConfigs
Next1 == Now + 1
\* The next config of this epoch. Each config is told to every member, named or not; told = what is told besides.
ConfigAnd(change, named, told) ==
  /\ record' = [change EXCEPT !.config = @ + 1, !.open = IF With("archive") THEN Next1 ELSE 0]
  /\ orders' = orders \cup told
       \cup {Promote(P, Next1, change.waits, change.shut \cup change.leaving, change.members)}
       \cup {Follow(m, Next1, P, 0, change.members) : m \in change.members \ (named \cup {P})}
  /\ read' = {} /\ UNCHANGED <<reports,member>>
Config(change, named, told) == ConfigAnd(change, named, told) /\ UNCHANGED past
\* The member's report says that the order of this very pair is in force. A promise alone does not: it may be half done.
Confirmed(m) == promise[m] = Now /\ (~half[m] \/ Without("adopted_is_not_settled"))
PrimaryConfirmed == Confirmed(P) /\ writable[P]
Nameable(m) == Confirmed(m) \/ Without("silent_before_named")
Contains(m, S) == source[m] = P /\ acking[m] /\ Epoch(promise[m]) = record.epoch /\ S \subseteq Has(m)
Holders(S, among) == {m \in among : Contains(m, S)}
\* What the primary holds, to be contained in others. A commit that waits, or has passed, is in its binlog, but not yet in
\* MySQL's gtid_executed ("visible"): then the read is taken at a moment when no commit is under way.
Read ==
  /\ read = {} /\ Alive(P) /\ ~record.doubt
  /\ With("visible") => (pending[P] = {} \/ Without("read_behind_a_barrier"))
  /\ read' = {IF With("visible") THEN executed[P] \ pending[P] ELSE executed[P]}
  /\ UNCHANGED <<record,past,orders,reports,member>>

DropStart(b) ==
  /\ With("reconf") /\ Keeping /\ record.mode = "normal" /\ record.leaving = {} /\ b \in record.ackers
  /\ record.waits = record.d /\ Cardinality(record.ackers) > record.d
  /\ Config([record EXCEPT !.leaving = {b}], record.ackers \ {b}, {})
DropRead(b) ==                  \* its acknowledgements count no more: it says so, or the primary shuts it out
  /\ ~record.electing /\ b \in record.leaving
  /\ Confirmed(b) \/ PrimaryConfirmed \/ Without("silenced_before_read")
  /\ Read
DropDone(b) ==
  /\ Keeping /\ b \in record.leaving
  /\ (\E S \in read : Cardinality(Holders(S, record.ackers \ {b})) >= record.d) \/ Without("contained_before_dropped")
  /\ Config([record EXCEPT !.leaving = {}, !.ackers = @ \ {b}, !.shut = IF Confirmed(b) THEN @ ELSE @ \cup {b}],
            record.ackers \ {b}, {})
Add(b, outside) ==              \* outside: it stays shut out until it acknowledges (LetIn)
  /\ (outside => b \in record.shut)
  /\ With("reconf") /\ Keeping /\ record.mode = "normal" /\ record.leaving = {} /\ record.waits = record.d
  /\ b \in record.members /\ b \notin record.ackers /\ b # P /\ Nameable(b)
  /\ Epoch(promise[b]) = record.epoch /\ Has(b) \subseteq executed[P]
  /\ Config([record EXCEPT !.ackers = @ \cup {b}, !.shut = IF outside THEN @ ELSE @ \ {b}], record.ackers \cup {b},
            {Follow(b, Next1, P, 1, record.members)})
LetIn(b) ==                     \* who has promised this config, silent or named, need not be shut out any more
  /\ With("reconf") \/ With("solo")
  /\ Keeping /\ record.leaving = {} /\ b \in record.shut \ {P} /\ Nameable(b)
  /\ Config([record EXCEPT !.shut = @ \ {b}], record.ackers \cup record.joining, {})
AddEarly(b) ==                  \* only where a rule is taken away: told to acknowledge before the record names it
  /\ Without("named_before_told") /\ ~record.electing /\ record.mode = "normal" /\ b \in record.members \ record.ackers /\ b # P
  /\ Follow(b, Now, P, 1, record.members) \notin orders
  /\ orders' = orders \cup {Follow(b, Now, P, 1, record.members)}
  /\ UNCHANGED <<record,past,reports,read,member>>
Certify(m) ==                   \* has contained what the primary holds since its restart
  /\ amnesiac[m] /\ ~record.electing /\ ~record.doubt /\ m \in record.members
  /\ source[m] = P /\ Epoch(promise[m]) = record.epoch /\ executed[P] \subseteq Has(m)
  /\ amnesiac' = [amnesiac EXCEPT ![m] = FALSE] /\ ever' = [ever EXCEPT ![m] = relay[m]]
  /\ UNCHANGED <<sched,promise,peers,half,executed,relay,role,hist,volume>>

RaiseStart ==                   \* the primary waits for more first; the record counts on it later
  /\ With("d") /\ Keeping /\ record.mode = "normal" /\ record.leaving = {} /\ record.waits = record.d
  /\ Cardinality(record.ackers) > record.d
  /\ Config([record EXCEPT !.waits = @ + 1, !.d = IF Without("primary_waits_before_d_rises") THEN @ + 1 ELSE @],
            record.ackers, {})
RaiseRead == ~record.electing /\ record.mode = "normal" /\ record.waits > record.d /\ PrimaryConfirmed /\ Read
RaiseDone ==
  /\ Keeping /\ record.mode = "normal" /\ record.waits > record.d
  /\ \E S \in read : Cardinality(Holders(S, record.ackers)) >= record.waits \/ Without("contained_before_d_rises")
  /\ Config([record EXCEPT !.d = record.waits], record.ackers, {})
Lower ==                        \* written down first; also ends a rise that leads nowhere
  /\ With("d") /\ Keeping /\ record.mode = "normal" /\ record.leaving = {}
  /\ LET d == IF record.waits > record.d THEN record.d ELSE record.d - 1 IN
     /\ d >= 1
     /\ Config([record EXCEPT !.d = d, !.waits = d], record.ackers, {})
LowerEarly ==                   \* only where a rule is taken away
  /\ Without("d_lowered_before_told") /\ Keeping /\ record.mode = "normal" /\ record.waits = record.d /\ record.d > 1
  /\ Promote(P, Next1, record.d - 1, record.shut, record.members) \notin orders
  /\ orders' = orders \cup {Promote(P, Next1, record.d - 1, record.shut, record.members)}
  /\ UNCHANGED <<record,past,reports,read,member>>

SoloEnter ==
  /\ With("solo") /\ Keeping /\ (record.mode = "normal" \/ record.joining # {})
  /\ Config([record EXCEPT !.mode = "solo", !.joining = {}, !.ackers = IF Without("solo_waits_for_primary") THEN @ ELSE {},
                           !.d = D, !.waits = 0, !.leaving = {}, !.shut = {}], {}, {})
SoloEarly ==                    \* only where a rule is taken away: told before it is written down
  /\ Without("solo_before_told") /\ Keeping /\ record.mode = "normal"
  /\ Promote(P, Next1, 0, {}, record.members) \notin orders
  /\ orders' = orders \cup {Promote(P, Next1, 0, {}, record.members)}
  /\ UNCHANGED <<record,past,reports,read,member>>
SoloLeave(N, outside) ==        \* still solo in the record; the primary waits again, replicas acknowledge
  /\ With("solo") /\ Keeping /\ record.mode = "solo" /\ record.joining = {} /\ Cardinality(N) >= record.d
  /\ \A m \in N : Nameable(m)
  /\ Config([record EXCEPT !.joining = N, !.waits = record.d,
                           !.shut = IF Without("others_shut_out_leaving_solo") THEN {}
                                    ELSE record.members \ (IF outside THEN {P} ELSE N \cup {P})],
            N, {Follow(m, Next1, P, 1, record.members) : m \in N})
SoloRead == ~record.electing /\ record.joining # {} /\ (PrimaryConfirmed \/ Without("primary_waits_before_read")) /\ Read
SoloDone ==
  /\ Keeping /\ record.joining # {}
  /\ (\E S \in read : Cardinality(Holders(S, record.joining)) >= record.d) \/ Without("contained_before_normal")
  /\ Config([record EXCEPT !.mode = "normal", !.ackers = record.joining, !.joining = {}], record.joining, {})
Reopen == /\ With("archive") /\ Keeping /\ record.joining = {} /\ sealed[P] >= record.open \* nothing but a new pair
          /\ Config(record, record.ackers, {})
SendRebuild(m) ==
  /\ With("rebuild") /\ ~record.doubt /\ (~record.electing \/ Without("no_rebuild_while_electing")) /\ (m # P \/ record.electing)
  /\ m \in record.members
  /\ m \notin record.ackers \cup record.joining \/ (Without("no_rebuild_of_ackers") /\ m # P)
  /\ Rebuild(m, Now) \notin orders
  /\ orders' = orders \cup {Rebuild(m, Now)}
  /\ UNCHANGED <<record,past,reports,read,member>>

Named == (record.ackers \ record.leaving) \cup record.joining
Since(r) == IF Sets THEN [r EXCEPT !.since = Next1] ELSE r
AddMember(m) ==                 \* a name and a volume that nobody ever had: it is told to follow, and named for nothing
  /\ With("members") /\ Keeping /\ m \notin record.members
  /\ m \notin past.born \/ (Without("removed_for_good") /\ m \notin taken)
  /\ past' = [past EXCEPT !.born = @ \cup {m}]
  /\ \/ ConfigAnd(Since([record EXCEPT !.members = @ \cup {m}, !.shut = IF m \in past.born THEN @ \cup {m} ELSE @]),
                  Named, {})
     \/ \E b \in record.ackers \ record.leaving :
          /\ Without("heir_of_nobody")
          /\ ConfigAnd(Since([record EXCEPT !.members = (@ \ {b}) \cup {m}, !.ackers = (@ \ {b}) \cup {m}]),
                       (Named \ {b}) \cup {m}, {Follow(m, Next1, P, 1, (record.members \ {b}) \cup {m})})
RemoveMember(m) ==              \* who is named for nothing, while the primary has confirmed the config that is
  /\ With("members") /\ Keeping /\ m \in record.members \ {P}
  /\ m \notin record.ackers \cup record.joining \/ Without("unnamed_before_removed")
  /\ PrimaryConfirmed \/ Without("primary_opened_before_removed")
  /\ past' = [past EXCEPT !.out = IF Sets THEN @ ELSE @ \cup {m}]
  /\ ConfigAnd(Since([record EXCEPT !.members = @ \ {m}, !.ackers = @ \ {m}, !.leaving = @ \ {m}, !.joining = @ \ {m},
                                    !.shut = @ \ {m}]), Named \ {m}, {})
ChangeWhileElecting(m) ==       \* only where a rule is taken away: a second set of members under the one pair of an election
  /\ Without("changed_outside_elections") /\ record.electing /\ ~record.doubt
  /\ LET changed(w) == [record EXCEPT !.members = w, !.shut = @ \cap w, !.since = IF Sets THEN Now ELSE 0]
         fence(w) == IF Sets THEN {[e |-> record.epoch, s |-> w]} ELSE {} IN
     \/ /\ m \in record.members \ ({P} \cup record.ackers)
        /\ record' = changed(record.members \ {m}) /\ reports' = {r \in reports : r.m # m}
        /\ past' = [past EXCEPT !.out = IF Sets THEN @ ELSE @ \cup {m}, !.fences = @ \cup fence(record.members \ {m})]
     \/ /\ m \notin past.born
        /\ record' = changed(record.members \cup {m}) /\ UNCHANGED reports
        /\ past' = [past EXCEPT !.born = @ \cup {m}, !.fences = @ \cup fence(record.members \cup {m})]
  /\ UNCHANGED <<orders,read,member>>
SendAway(m) ==                  \* the order to give its volume back (without `Sets' it goes with the removal); it may come late
  /\ With("members") /\ m \in past.born \ past.out /\ ~record.doubt /\ m # P
  /\ \/ Sets /\ m \notin record.members /\ ((~record.electing /\ PrimaryConfirmed) \/ Without("removal_confirmed"))
     \/ Without("removal_recorded") /\ m \notin record.ackers \cup record.joining
     \/ Without("volume_goes_last") /\ m \in record.leaving
  /\ past' = [past EXCEPT !.out = @ \cup {m}]
  /\ UNCHANGED <<record,orders,reports,read,member>>

Next ==
  \/ \E m \in Members :
       \/ AddMember(m) \/ RemoveMember(m) \/ ChangeWhileElecting(m) \/ SendAway(m) \/ TakeVolume(m)
       \/ \E o \in Members : Seed(m, o)
       \/ Write(m) \/ LocalWrite(m) \/ Receive(m) \/ Apply(m) \/ Restart(m) \/ LoseVolume(m) \/ SemiSyncOffFirst(m) \/ Certify(m)
       \/ Seal(m)
       \/ DropStart(m) \/ DropRead(m) \/ DropDone(m) \/ LetIn(m) \/ AddEarly(m) \/ SendRebuild(m)
       \/ \E outside \in BOOLEAN : Add(m, outside)
       \/ \E w \in pending[m] : Pass(m, w) \/ Ack(m, w)
       \/ \E x \in Fences : Fence(m, x.e, x.s) \/ CutFence(m, x.e, x.s)
       \/ record.electing /\ \E N \in NewAckers(m) : Choose(m, N) \/ PromoteFirst(m, N)
  \/ \E o \in orders : DoPromote(o) \/ DoFollow(o) \/ DoRefuse(o) \/ DoRebuild(o) \/ CutPromote(o) \/ CutFollow(o)
                      \/ LateStep(o)
  \/ Elect \/ Backup \/ PutBack \/ Census \/ RaiseStart \/ RaiseRead \/ RaiseDone \/ Lower \/ LowerEarly
  \/ SoloEnter \/ SoloEarly \/ SoloRead \/ SoloDone \/ Reopen
  \/ (record.mode = "solo" /\ \E N \in SUBSET (record.members \ {P}), outside \in BOOLEAN : SoloLeave(N, outside))
Spec == Init /\ [][Next]_vars

------------------------------------------------------------------------------
\* Orders that can no longer be obeyed, and acknowledgements of writes that nobody waits for, do not tell states apart.
View == <<record,past,{o \in orders : Accepts(o.m, o.n) /\ Alive(o.m)},reports,read,promise,peers,half,executed,relay,ever,
          amnesiac,role,[w \in Writes |-> IF \E m \in Members : w \in pending[m] THEN acks[w] ELSE {}],acked,late,wrote,volume>>
Symmetry == Permutations(Members)

S1 == ~record.electing /\ ~record.doubt /\ P \notin gone => acked \subseteq executed[P]
S2 == acked \cap late = {}
S3 == gone = {} => \A w \in acked : \E m \in Members : w \in Has(m)
S5 == ~record.electing /\ ~record.doubt /\ P \notin gone => \A m \in Members :
        (source[m] = P /\ m # P /\ Epoch(promise[m]) = record.epoch) => Has(m) \ Local \subseteq executed[P]
S6 == \A m, o \in Members : m # o /\ writable[m] /\ writable[o] => opened[m] # opened[o]
S7 == ~record.electing /\ ~record.doubt /\ PrimaryConfirmed =>
        semisync[P] = record.waits /\ shut[P] = Promote(P, 0, 0, record.shut \cup record.leaving, record.members).b
S4 == With("members") /\ ~record.electing /\ ~record.doubt /\ record.mode = "normal" /\ ~Mariadb /\ gone = {} =>
        \A w \in acked \ record.floor : Cardinality({m \in record.ackers : w \in executed[m]}) >= record.d
S8 == With("members") /\ ~record.electing /\ ~record.doubt /\ record.mode = "normal" /\ writable[P] /\ opened[P] = record.epoch =>
        \A m \in Members : source[m] = P /\ acking[m] /\ m \notin shut[P] => m \in record.ackers
L1 == (record.electing /\ Newest \subseteq Fenced /\ ~Mariadb /\ gone = {} /\ \A m \in Members : led[m] % 10 = 0) =>
        \E c \in Members : \E N \in NewAckers(c) : Complete(c) /\ Contained(c, N)
L2 == (With("local") /\ record.electing /\ record.mode = "normal" /\ record.ackers \subseteq Fenced /\ ~Mariadb
       /\ \E m \in record.ackers : /\ record.floor \subseteq executed[m] /\ Untouched(m)
                                   /\ \A o \in record.ackers : {w \in Has(o) : wrote[w].m # o} \subseteq executed[m]) => \E c \in Fenced : Complete(c)
=============================================================================
