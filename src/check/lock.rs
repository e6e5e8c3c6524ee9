//! Table-level locks (<https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>).

/// The mode of a lock, from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockMode {
    /// Of SELECT.
    AccessShare,
    /// Of SELECT FOR UPDATE.
    RowShare,
    /// Of INSERT, UPDATE and DELETE.
    RowExclusive,
    /// Of VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY.
    ShareUpdateExclusive,
    /// Of CREATE INDEX.
    Share,
    /// Of CREATE TRIGGER and new foreign keys.
    ShareRowExclusive,
    /// Of REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// Of most forms of ALTER TABLE.
    AccessExclusive,
}

/// What waits while a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocks {
    /// Only other definitions and maintenance.
    Definitions,
    /// INSERT, UPDATE and DELETE, too.
    Writes,
    /// Everything.
    ReadsAndWrites,
}

const MODES: [(LockMode, &str); 8] = [
    (LockMode::AccessShare, "AccessShareLock"),
    (LockMode::RowShare, "RowShareLock"),
    (LockMode::RowExclusive, "RowExclusiveLock"),
    (LockMode::ShareUpdateExclusive, "ShareUpdateExclusiveLock"),
    (LockMode::Share, "ShareLock"),
    (LockMode::ShareRowExclusive, "ShareRowExclusiveLock"),
    (LockMode::Exclusive, "ExclusiveLock"),
    (LockMode::AccessExclusive, "AccessExclusiveLock"),
];

impl LockMode {
    /// The mode of this name in `pg_locks`; with or without `Lock` at the end, in any case.
    pub fn parse(name: &str) -> Option<LockMode> {
        let is_same = |full: &str| {
            let short = full.strip_suffix("Lock").unwrap_or(full);
            name.eq_ignore_ascii_case(full) || name.eq_ignore_ascii_case(short)
        };
        let found = MODES.iter().find(|(_, full)| is_same(full));
        found.map(|(mode, _)| *mode)
    }

    /// Its name in `pg_locks`.
    pub fn name(self) -> &'static str {
        let found = MODES.iter().find(|(mode, _)| *mode == self);
        found.map_or("", |(_, name)| name)
    }

    /// What waits while it is held on a table.
    pub fn blocks(self) -> Blocks {
        match self {
            LockMode::AccessExclusive => Blocks::ReadsAndWrites,
            LockMode::Share | LockMode::ShareRowExclusive | LockMode::Exclusive => Blocks::Writes,
            _ => Blocks::Definitions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_the_names_of_pg_locks() {
        for (mode, name) in MODES {
            assert_eq!(LockMode::parse(name), Some(mode));
            assert_eq!(mode.name(), name);
        }
        assert_eq!(
            LockMode::parse("accessexclusive"),
            Some(LockMode::AccessExclusive)
        );
        assert_eq!(LockMode::parse("Lock"), None);
        assert!(LockMode::Share < LockMode::AccessExclusive);
        assert_eq!(LockMode::ShareUpdateExclusive.blocks(), Blocks::Definitions);
        assert_eq!(LockMode::Share.blocks(), Blocks::Writes);
    }
}
