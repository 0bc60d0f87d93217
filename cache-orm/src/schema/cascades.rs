//! What foreign keys and inheritance carry a change of one table to.

use std::collections::{BTreeSet, HashMap, HashSet};

/// A foreign key; names in lower case.
#[derive(Debug)]
pub(super) struct ForeignKey {
    pub(super) child: String,
    pub(super) child_columns: BTreeSet<String>,
    pub(super) parent: String,
    /// `None` where any update of the parent may change what the key refers to.
    pub(super) parent_columns: Option<BTreeSet<String>>,
    pub(super) on_delete: Action,
    pub(super) on_update: Action,
}

/// What a foreign key does to the child's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing: the statement fails instead.
    Refuse,
    /// Deletes it with the parent's row, or follows the parent's new key.
    Cascade,
    /// Sets its columns to NULL or their defaults.
    Set,
}

impl Action {
    /// Reads Postgres' letters and everybody else's words. An unknown action is taken for the one that
    /// reaches furthest.
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "a" | "r" | "NO ACTION" | "RESTRICT" => Action::Refuse,
            "n" | "d" | "SET NULL" | "SET DEFAULT" => Action::Set,
            _ => Action::Cascade,
        }
    }
}

/// A change of a table's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Change<'a> {
    Insert,
    Delete,
    /// With the assigned columns, or `None` for any.
    Update(Option<&'a BTreeSet<String>>),
    Truncate,
}

/// All foreign keys and inheritance of a database.
#[derive(Debug, Default)]
pub(super) struct Cascades {
    by_parent: HashMap<String, Vec<ForeignKey>>,
    inheritance: HashMap<String, Vec<String>>,
}

impl Cascades {
    pub(super) fn new(
        keys: impl Iterator<Item = ForeignKey>,
        inheritance: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut cascades = Cascades::default();
        for key in keys {
            cascades.by_parent.entry(key.parent.clone()).or_default().push(key);
        }
        for (one, other) in inheritance {
            cascades.inheritance.entry(one.clone()).or_default().push(other.clone());
            cascades.inheritance.entry(other).or_default().push(one);
        }
        cascades
    }

    /// The tables that `change` of `table` is carried to, transitively.
    pub(super) fn from<'s>(&'s self, table: &str, change: Change<'_>) -> BTreeSet<&'s str> {
        let mut reached = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut open = vec![(table, change)];
        while let Some((table, change)) = open.pop() {
            for key in self.by_parent.get(table).into_iter().flatten() {
                if let Some(next) = key.carries(change) {
                    reached.insert(key.child.as_str());
                    if seen.insert((key.child.as_str(), next)) {
                        open.push((&key.child, next));
                    }
                }
            }
            for heir in self.inheritance.get(table).into_iter().flatten() {
                reached.insert(heir.as_str());
                if seen.insert((heir.as_str(), change)) {
                    open.push((heir, change));
                }
            }
        }
        reached
    }
}

impl ForeignKey {
    /// What a change of the parent does to the child.
    fn carries(&self, change: Change<'_>) -> Option<Change<'_>> {
        let assigned = Change::Update(Some(&self.child_columns));
        match change {
            Change::Insert => None,
            Change::Truncate => Some(Change::Truncate),
            Change::Delete => match self.on_delete {
                Action::Refuse => None,
                Action::Cascade => Some(Change::Delete),
                Action::Set => Some(assigned),
            },
            Change::Update(columns) => {
                let touched = match (columns, &self.parent_columns) {
                    (Some(columns), Some(referenced)) => !columns.is_disjoint(referenced),
                    _ => true,
                };
                (touched && self.on_update != Action::Refuse).then_some(assigned)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action::*, *};

    fn columns(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    /// `child.column → parent.referenced`.
    fn key(child: [&str; 2], parent: [&str; 2], on_delete: Action, on_update: Action) -> ForeignKey {
        ForeignKey {
            child: child[0].into(),
            child_columns: columns(&child[1..]),
            parent: parent[0].into(),
            parent_columns: Some(columns(&parent[1..])),
            on_delete,
            on_update,
        }
    }

    fn reach(keys: impl IntoIterator<Item = ForeignKey>) -> Cascades {
        Cascades::new(keys.into_iter(), [])
    }

    fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        names.into_iter().collect()
    }

    #[test]
    fn a_delete_follows_cascades_to_the_end_and_stops_at_a_refusal() {
        let cascades = reach([
            key(["b", "a"], ["a", "id"], Cascade, Refuse),
            key(["c", "b"], ["b", "id"], Cascade, Refuse),
            key(["d", "c"], ["c", "id"], Refuse, Cascade),
            key(["e", "d"], ["d", "id"], Cascade, Cascade),
        ]);
        assert_eq!(cascades.from("a", Change::Delete), names(["b", "c"]));
        assert_eq!(cascades.from("nobody", Change::Delete), names([]));
    }

    #[test]
    fn set_null_changes_the_child_and_who_refers_to_the_column_set() {
        let cascades = reach([
            key(["b", "a"], ["a", "id"], Set, Refuse),
            key(["c", "b"], ["b", "id"], Cascade, Cascade),
            key(["d", "b"], ["b", "a"], Refuse, Cascade),
        ]);
        assert_eq!(cascades.from("a", Change::Delete), names(["b", "d"]));
    }

    #[test]
    fn an_update_reaches_only_those_who_refer_to_an_assigned_column() {
        let cascades = reach([
            key(["b", "a_id"], ["a", "id"], Refuse, Cascade),
            key(["c", "a_code"], ["a", "code"], Cascade, Set),
            key(["d", "b"], ["b", "a_id"], Cascade, Cascade),
            key(["e", "b"], ["b", "id"], Cascade, Cascade),
        ]);
        assert_eq!(cascades.from("a", Change::Update(Some(&columns(&["name"])))), names([]));
        assert_eq!(cascades.from("a", Change::Update(Some(&columns(&["code", "name"])))), names(["c"]));
        assert_eq!(cascades.from("a", Change::Update(Some(&columns(&["id"])))), names(["b", "d"]));
        assert_eq!(cascades.from("a", Change::Update(None)), names(["b", "c", "d"]));
    }

    #[test]
    fn a_key_to_columns_that_change_by_themselves_follows_every_update() {
        let free = ForeignKey { parent_columns: None, ..key(["b", "a"], ["a", "total"], Refuse, Cascade) };
        assert_eq!(reach([free]).from("a", Change::Update(Some(&columns(&["name"])))), names(["b"]));
    }

    #[test]
    fn circles_end_and_a_table_may_reach_itself() {
        let cascades = reach([
            key(["node", "parent"], ["node", "id"], Cascade, Cascade),
            key(["x", "y"], ["y", "id"], Cascade, Refuse),
            key(["y", "x"], ["x", "id"], Cascade, Refuse),
        ]);
        assert_eq!(cascades.from("node", Change::Delete), names(["node"]));
        assert_eq!(cascades.from("x", Change::Delete), names(["x", "y"]));
    }

    #[test]
    fn truncate_reaches_every_referencing_table_whatever_the_action() {
        let cascades = reach([
            key(["b", "a"], ["a", "id"], Refuse, Refuse),
            key(["c", "b"], ["b", "id"], Refuse, Refuse),
        ]);
        assert_eq!(cascades.from("a", Change::Truncate), names(["b", "c"]));
    }

    #[test]
    fn a_change_of_a_table_is_one_of_its_partitions_and_the_reverse() {
        let keys = [key(["b", "p"], ["part", "id"], Cascade, Refuse)];
        let cascades = Cascades::new(keys.into_iter(), [("whole".into(), "part".into())]);
        assert_eq!(cascades.from("whole", Change::Delete), names(["b", "part", "whole"]));
        assert_eq!(cascades.from("part", Change::Delete), names(["b", "part", "whole"]));
        assert_eq!(cascades.from("whole", Change::Insert), names(["part", "whole"]));
        assert_eq!(cascades.from("b", Change::Insert), names([]));
    }
}
