//! The rules of the protocol, each of which can be switched off to see what it prevents.

/// One rule of `docs/protocol.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A reader leases the slot before its load, and only the lease lets it fill.
    LeaseBeforeLoad,
    /// A writer fences before its write can commit.
    FenceBeforeCommit,
    /// A fence is open again only when its last holder has gone.
    ManyHolders,
    /// A writer that does not know the outcome of its write leaves the fence to expire.
    ReleaseOnlyWhenOutcomeKnown,
    /// The release of a lost fence empties the cell.
    LostFenceEmpties,
    /// An epoch cell that was fenced or evicted restarts at a number never used before.
    RandomEpochs,
    /// An absent entry is valid only under the presence epoch it was filled under.
    PresenceStamp,
    /// The presence stamp of an absent entry is read before the load.
    PresenceBeforeLoad,
    /// A call that joined a flight uses its row only after an accepted fill.
    JoinAfterAcceptedFill,
    /// A flight takes no more passengers once its fill is under way.
    FlightClosesBeforeFill,
    /// A fill is accepted only under the epoch of its lease.
    FillChecksEpoch,
    /// A call that joined a flight which found no row looks the slot up again.
    JoinedAbsenceLooksAgain,
    /// A read of several rows sees its hits a second time.
    ValidateMixedReads,
    /// That second look compares the epoch and presence cells as well as the slots.
    ValidateStamps,
    /// A hit through an alias compares the row's unique columns with those asked for.
    AliasVerifiesItself,
    /// Every spelling of a key names one slot.
    CanonicalKeys,
    /// A read inside a transaction fills nothing.
    TransactionsFillNothing,
}

pub(crate) const RULES: [Rule; 17] = [
    Rule::LeaseBeforeLoad,
    Rule::FenceBeforeCommit,
    Rule::ManyHolders,
    Rule::ReleaseOnlyWhenOutcomeKnown,
    Rule::LostFenceEmpties,
    Rule::RandomEpochs,
    Rule::PresenceStamp,
    Rule::PresenceBeforeLoad,
    Rule::JoinAfterAcceptedFill,
    Rule::FlightClosesBeforeFill,
    Rule::FillChecksEpoch,
    Rule::JoinedAbsenceLooksAgain,
    Rule::ValidateMixedReads,
    Rule::ValidateStamps,
    Rule::AliasVerifiesItself,
    Rule::CanonicalKeys,
    Rule::TransactionsFillNothing,
];
