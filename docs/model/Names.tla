------------------------------- MODULE Names --------------------------------
(* SPDX-License-Identifier: Apache-2.0                                                                              *)
(* Resets of binary logs, and a record that is put back (../architecture.md, "Sound replicas", "An old record").  A *)
(* server that was reset has its data still, has forgotten what their transactions are called, and gives the same   *)
(* names to others.  Here a member therefore has data and names apart.  Everything else is as simple as can be: the *)
(* primary acknowledges alone, its own log is the only proof, and an order is obeyed when it is given.  Epochs.tla  *)
(* has all that.                                                                                                    *)
(*                                                                                                                  *)
(* Broken = {} is the protocol; each word in Broken takes one rule away.                                            *)
EXTENDS Naturals, FiniteSets, TLC
CONSTANTS Members, MaxWrites, MaxEpochs, MaxConfigs, MaxResets, Broken

VARIABLES record,    \* e, c: epoch and config; p: the primary; names: the pair from which on its names count; floor: names
          copy,      \* {} or {an earlier record}
          back,      \* the copy was put back: once
          doubt,     \* ... and nothing is decided from it yet
          data,      \* of each member: the writes in its tables
          binlog,    \* of each member: what it can name; name n, write w
          reset,     \* somebody reset its binary logs, and it is not told yet that its names count again
          made,      \* durable: the pair at which its data were made, or named anew
          led,       \* durable: the last epoch in which it was told to be the primary
          kept,      \* durable: it has the data of then
          promised,  \* durable: `names' of the last order to be the primary
          open,      \* who serves
          source,    \* whom a replica receives from; itself: nobody
          acked, writes, resets
vars == <<record,copy,back,doubt,data,binlog,reset,made,led,kept,promised,open,source,acked,writes,resets>>

Without(rule) == rule \in Broken
P == record.p
Pair == 10 * record.e + record.c
Max(S) == CHOOSE x \in S : \A y \in S : x >= y
Names(m) == {x.n : x \in binlog[m]}
Own(m) == {n \in Names(m) : n.by = m}

Init == \E p \in Members :
  /\ record = [e |-> 1, c |-> 1, p |-> p, names |-> 0, floor |-> {}]
  /\ copy = {} /\ back = FALSE /\ doubt = FALSE
  /\ data = [m \in Members |-> {}] /\ binlog = data /\ reset = [m \in Members |-> FALSE]
  /\ made = [m \in Members |-> 0] /\ led = [m \in Members |-> IF m = p THEN 1 ELSE 0] /\ kept = [m \in Members |-> TRUE]
  /\ promised = made /\ open = {p} /\ source = [m \in Members |-> p]
  /\ acked = {} /\ writes = 0 /\ resets = 0

------------------------------------------------------------------------------
Write(m) ==                     \* under the first name of its own that it does not know
  /\ m \in open /\ writes < MaxWrites
  /\ writes' = writes + 1 /\ acked' = acked \cup {writes'}
  /\ binlog' = [binlog EXCEPT ![m] = @ \cup {[n |-> [by |-> m, k |-> Cardinality(Own(m)) + 1], w |-> writes']}]
  /\ data' = [data EXCEPT ![m] = @ \cup {writes'}]
  /\ UNCHANGED <<record,copy,back,doubt,reset,made,led,kept,promised,open,source,resets>>
Receive(m) ==                   \* what bears a name that it does not know, in the order of each writer
  /\ source[m] # m /\ ~reset[m]
  /\ \E x \in binlog[source[m]] :
       /\ x.n \notin Names(m)
       /\ \A y \in binlog[source[m]] : (y.n \notin Names(m) /\ y.n.by = x.n.by) => y.n.k >= x.n.k
       /\ binlog' = [binlog EXCEPT ![m] = @ \cup {x}] /\ data' = [data EXCEPT ![m] = @ \cup {x.w}]
  /\ UNCHANGED <<record,copy,back,doubt,reset,made,led,kept,promised,open,source,acked,writes,resets>>
Reset(m) ==                     \* its executor sees it at once
  /\ resets < MaxResets /\ binlog[m] # {} /\ resets' = resets + 1
  /\ binlog' = [binlog EXCEPT ![m] = {}] /\ reset' = [reset EXCEPT ![m] = TRUE]
  /\ open' = open \ {m} /\ source' = [o \in Members |-> IF o = m \/ source[o] = m THEN o ELSE source[o]]
  /\ UNCHANGED <<record,copy,back,doubt,data,made,led,kept,promised,acked,writes>>

Outdated(m) == m # P /\ made[m] < record.names
Follow(m) ==
  /\ ~doubt /\ m # P /\ source[m] # P /\ P \in open /\ ~reset[P] /\ ~reset[m]
  /\ ~Outdated(m) \/ Without("old_data_do_not_follow")
  /\ Names(m) \subseteq Names(P)
  /\ source' = [source EXCEPT ![m] = P] /\ open' = open \ {m}
  /\ UNCHANGED <<record,copy,back,doubt,data,binlog,reset,made,led,kept,promised,acked,writes,resets>>
Rebuild(m) ==                   \* a copy of the primary
  /\ ~doubt /\ m # P /\ P \in open /\ ~reset[P] /\ promised[P] = record.names
  /\ binlog' = [binlog EXCEPT ![m] = binlog[P]] /\ data' = [data EXCEPT ![m] = data[P]]
  /\ made' = [made EXCEPT ![m] = Pair] /\ reset' = [reset EXCEPT ![m] = FALSE] /\ kept' = [kept EXCEPT ![m] = led[m] = 0]
  /\ source' = [source EXCEPT ![m] = P] /\ open' = open \ {m}
  /\ UNCHANGED <<record,copy,back,doubt,led,promised,acked,writes,resets>>
Renew ==                        \* the primary was reset: its data are kept, and its names count from this pair on
  /\ ~doubt /\ reset[P] /\ record.c < MaxConfigs
  /\ record' = [record EXCEPT !.c = @ + 1, !.names = Pair + 1, !.floor = Names(P)]
  /\ UNCHANGED <<copy,back,doubt,data,binlog,reset,made,led,kept,promised,open,source,acked,writes,resets>>
Open ==                         \* the primary is told of its record
  /\ ~doubt /\ (P \notin open \/ promised[P] # record.names)
  /\ reset[P] => record.names > made[P]
  /\ led' = [led EXCEPT ![P] = record.e] /\ kept' = [kept EXCEPT ![P] = TRUE]
  /\ promised' = [promised EXCEPT ![P] = record.names]
  /\ made' = [made EXCEPT ![P] = IF record.names > @ THEN record.names ELSE @] /\ reset' = [reset EXCEPT ![P] = FALSE]
  /\ open' = open \cup {P} /\ source' = [source EXCEPT ![P] = P]
  /\ UNCHANGED <<record,copy,back,doubt,data,binlog,acked,writes,resets>>
Elect(c) ==                     \* by the old primary's own log. One that was reset is chosen again: only its data are complete
  /\ ~doubt /\ record.e < MaxEpochs /\ led[P] = record.e
  /\ \/ reset[P] /\ c = P
     \/ /\ (~reset[P] /\ ~reset[c]) \/ Without("reset_proves_nothing")
        /\ ~Outdated(c) /\ Names(P) \cup record.floor \subseteq Names(c)
  /\ record' = [e |-> record.e + 1, c |-> 1, p |-> c, floor |-> Names(c),
                names |-> IF reset[c] THEN 10 * record.e + 11 ELSE record.names]
  /\ open' = open \ {P} /\ source' = [m \in Members |-> m]
  /\ UNCHANGED <<copy,back,doubt,data,binlog,reset,made,led,kept,promised,acked,writes,resets>>

------------------------------------------------------------------------------
(* a record that is put back *)
Backup == /\ ~back /\ copy = {} /\ copy' = {record}
          /\ UNCHANGED <<record,back,doubt,data,binlog,reset,made,led,kept,promised,open,source,acked,writes,resets>>
PutBack == /\ \E r \in copy : record' = r
           /\ copy' = {} /\ back' = TRUE /\ doubt' = TRUE
           /\ UNCHANGED <<data,binlog,reset,made,led,kept,promised,open,source,acked,writes,resets>>

\* The newest names that the record, or anybody, knows of. (Without the rule: a member that led since under new names.)
Newest == IF Without("names_promised") THEN record.names ELSE Max({promised[m] : m \in Members} \cup {record.names})
RenamedSince(m) == Without("names_promised") /\ led[m] = made[m] \div 10 /\ made[m] > record.names
Last == {m \in Members : kept[m] /\ \A o \in Members \ {m} : led[m] > led[o]}
ForgotWrites(m) == \E o \in Members : \E n \in Names(o) : n.by = m /\ n \notin Names(m)
Leader == {m \in Last : ~ForgotWrites(m)}
Forgotten == Last # Leader \/ Newest > record.names \/ \E m \in Members : reset[m] \/ RenamedSince(m)
Complete(c) ==
  IF \E m \in Last : reset[m] THEN c \in Last ELSE
  /\ ~reset[c] /\ \A m \in Leader : RenamedSince(m) => made[c] >= made[m]
  /\ c \in Leader \/ made[c] >= Newest \/ Without("old_data_prove_nothing")
  /\ record.floor \subseteq Names(c) \/ Newest > record.names
  /\ \/ ~Forgotten /\ \A m \in Members : Names(m) \subseteq Names(c)
     \/ \E m \in Leader : Names(m) \subseteq Names(c)
Census(c) ==                    \* everybody is asked
  /\ doubt /\ Complete(c)
  /\ LET e == Max({led[m] : m \in Members} \cup {record.e}) + 1 IN
     record' = [e |-> e, c |-> 1, p |-> c, floor |-> Names(c),
                names |-> IF reset[c] \/ (Without("names_promised") /\ Outdated(c)) THEN 10 * e + 1
                          ELSE IF RenamedSince(c) THEN made[c] ELSE Newest]
  /\ doubt' = FALSE /\ open' = {} /\ source' = [m \in Members |-> m]
  /\ UNCHANGED <<copy,back,data,binlog,reset,made,led,kept,promised,acked,writes,resets>>

Next == \/ \E m \in Members : Write(m) \/ Receive(m) \/ Follow(m) \/ Reset(m) \/ Rebuild(m) \/ Elect(m) \/ Census(m)
        \/ Renew \/ Open \/ Backup \/ PutBack
Spec == Init /\ [][Next]_vars
Symmetry == Permutations(Members)

S1 == ~doubt => acked \subseteq data[P]
S5 == ~doubt /\ P \in open => \A m \in Members : (m # P /\ source[m] = P) =>
        data[m] \subseteq data[P] /\ binlog[m] \subseteq binlog[P]
=============================================================================
